"""What Pillow's pixels of real photos are, as digests: photos.json holds, for the example photos and for each folder of ../shared/data, the first 8
hexadecimal digits of the SHA-256 of every photo's RGB bytes, in the order of the file names.

    python photos.py ../../../../shared/data        (Pillow 13, libjpeg-turbo 3.2)
"""
import hashlib, json, os, sys
from PIL import Image

here = os.path.dirname(os.path.abspath(__file__))
folders = {}
for folder in ("examples", "ilsvrc2012-val", "ilsvrc2012-loc/photos"):
    path = os.path.join(os.path.join(here, "../../..") if folder == "examples" else sys.argv[1], folder)
    names = sorted(name for name in os.listdir(path) if name.lower().endswith((".jpg", ".jpeg")))
    digests = [hashlib.sha256(Image.open(os.path.join(path, name)).convert("RGB").tobytes()).hexdigest()[:8] for name in names]
    folders[folder] = "".join(digests)
with open(os.path.join(here, "photos.json"), "w") as f:
    json.dump(folders, f, indent=1)
    f.write("\n")
