"""Packages as PyPI has them, in one wheel (a deflated and a stored file) and one source distribution, by Python's own zipfile and tarfile.

Run with: python3 test/golden/packages.py test/golden/packages (Python 3.11)
"""

import io
import sys
import tarfile
import zipfile

FILES = {"some_pack/a.bin": b"alpha" * 20, "some_pack/deep/b.bin": b"beta", "some_pack/c.bin": b"gamma"}

with zipfile.ZipFile(f"{sys.argv[1]}/some_pack-1.0.0-py3-none-any.whl", "w") as wheel:
    for i, (path, content) in enumerate(FILES.items()):
        method = zipfile.ZIP_STORED if i == 1 else zipfile.ZIP_DEFLATED
        wheel.writestr(zipfile.ZipInfo(path), content, method)
with tarfile.open(f"{sys.argv[1]}/some_pack-1.0.0.tar.gz", "w:gz") as source:
    for path, content in FILES.items():
        entry = tarfile.TarInfo(f"some_pack-1.0.0/{path}")
        entry.size = len(content)
        source.addfile(entry, io.BytesIO(content))
