import { openTfjs } from "@ftim/gpu/tfjs";
import { openLpips } from "./nets/lpips.ts";
const tf = await openTfjs();
const file = Deno.args[0]!;
const net = await openLpips(await Deno.readFile(file));
const img = (s:number)=>({width:224,height:224,data:Float32Array.from({length:3*224*224},(_, i)=>((i*7919*s)%1000)/1000)});
const targets=[1,2,3,4].map(img);
const mask = new Float32Array(224*224).fill(1);
const pairs = Array.from({length:8},(_,i)=>({picture:img(i+5),target:targets[i%4]!,masks:[mask]}));
await net.distances(pairs);
for(let k=0;k<4;k++){ const t=performance.now(), c=Deno.resourceUsage? 0:0; await net.distances(pairs); console.log("8 pairs, 4 targets", (performance.now()-t).toFixed(0),"ms"); }
