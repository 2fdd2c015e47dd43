"""Makes inter.png and inter.json: anti-aliased glyphs of Inter (ASCII, Latin-1 and a few signs) for the panel's text.

    npm pack @fontsource/inter@5.3.0 && tar xzf fontsource-inter-5.3.0.tgz
    python make.py package/files        (needs Pillow and fontTools; made with Pillow 13.0.0, fontTools 4.68.0)

inter.png   8-bit grey, opacity of each pixel
inter.json  faces.NAME: size, ascent, descent in pixels, and glyphs: character -> [x, y, width, height, left, top, advance],
            where x and y are in inter.png, left and top from the pen on the baseline (top up), advance in pixels
"""
import json, os, sys
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

here = os.path.dirname(os.path.abspath(__file__))
faces = {"body": (400, 22), "strong": (600, 22), "title": (600, 40)}
characters = [chr(c) for c in [*range(0x20, 0x7F), *range(0xA0, 0x100)] if c != 0xAD] + list("–—‘’“”•…−")
width, gap = 1024, 1

sheet, x, y, line = Image.new("L", (width, 2048)), 0, 0, 0
out = {"source": "Inter 4.001 (@fontsource/inter 5.3.0, latin), SIL Open Font License 1.1; see NOTICE", "faces": {}}
for name, (weight, size) in faces.items():
    path = f"{sys.argv[1]}/inter-latin-{weight}-normal.woff"
    tables = TTFont(path)
    tables.flavor = None
    tables.save("/tmp/inter.ttf")
    font = ImageFont.truetype("/tmp/inter.ttf", size, layout_engine=ImageFont.Layout.BASIC)
    cmap, advances, em = tables.getBestCmap(), tables["hmtx"], tables["head"].unitsPerEm
    ascent, descent = font.getmetrics()
    glyphs = {}
    for character in characters:
        if ord(character) not in cmap:
            continue
        left, top, right, bottom = font.getbbox(character, anchor="ls")
        w, h = right - left, bottom - top
        if x + w + gap > width:
            x, y, line = 0, y + line + gap, 0
        if w > 0 and h > 0:
            ImageDraw.Draw(sheet).text((x - left, y - top), character, font=font, fill=255, anchor="ls")
        advance = round(advances[cmap[ord(character)]][0] * size / em * 64) / 64
        glyphs[character] = [x, y, w, h, left, top, advance]
        x, line = x + w + gap, max(line, h)
    out["faces"][name] = {"size": size, "ascent": ascent, "descent": descent, "glyphs": glyphs}
sheet.crop((0, 0, width, y + line)).save(f"{here}/inter.png", optimize=True)
with open(f"{here}/inter.json", "w") as f:
    json.dump(out, f, ensure_ascii=False, separators=(",", ":"))
    f.write("\n")
