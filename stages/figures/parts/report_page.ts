/** Text in Markdown, and the pictures below it. */
export interface ReportSection {
  readonly markdown: string;
  readonly pictures: readonly { readonly name: string; readonly png: Uint8Array }[];
}

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; color: #111; background: #fff; \
max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.85rem; \
display: block; overflow-x: auto; }
th, td { padding: 0.25rem 0.75rem; border-bottom: 1px solid #ccc; }
thead th { border-bottom: 2px solid #111; }
figure { margin: 1rem 0; overflow-x: auto; }
img { max-width: 100%; }
`;

/** A whole HTML page with its pictures inside. */
export async function reportPage(
  { title, sections }: { title: string; sections: readonly ReportSection[] },
): Promise<string> {
  const { marked } = await import("npm:marked@18.2.1");
  const parts = await Promise.all(sections.map(async ({ markdown, pictures }) => {
    const figures = pictures.map(({ name, png }) =>
      `<figure><img alt="${escapeHtml(name)}" src="data:image/png;base64,${png.toBase64()}"></figure>`
    );
    return `<section>\n${await marked.parse(markdown)}${figures.join("\n")}\n</section>`;
  }));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${parts.join("\n").replaceAll(/<(\/?)h1>/g, "<$1h2>")}
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
