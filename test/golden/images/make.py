"""Makes the picture goldens: small PNG and JPEG files of every kind, and what Pillow (or the formula) says they show.

    python make.py        (needs numpy, Pillow >= 10.2 with WebP, TIFF and AVIF, and cjpeg; versions used are written to manifest.json)

decode/     NAME and NAME.npy, uint8 [H,W,3]: what decodeImage must give, within `tolerance` of manifest.json
resize/     NAME.npy, uint8 [h,w,3]: what Pillow's resize (BILINEAR, antialiased) and crop make of resize/input.png
other/      the same of formats that the package sharp reads
refuse/     files that must be refused
"""
import hashlib, io, json, os, re, struct, subprocess, zlib
import numpy as np
import PIL
from PIL import Image, ImageOps, TiffImagePlugin, features

here = os.path.dirname(os.path.abspath(__file__))
for folder in ("decode", "resize", "refuse", "other"):
    os.makedirs(os.path.join(here, folder), exist_ok=True)
manifest = {
    "producer": "make.py",
    "versions": {"pillow": PIL.__version__, "numpy": np.__version__, "libjpeg_turbo": features.version("libjpeg_turbo")},
    "decode": {}, "other": {}, "resize": {}, "refuse": [],
}


def write(path, data):
    with open(os.path.join(here, path), "wb") as f:
        f.write(data)


def save_npy(path, array):
    np.save(os.path.join(here, path), np.ascontiguousarray(array, dtype=np.uint8))


def scene(h, w):
    """Smooth colours, hard edges and a little noise: seeded."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    rgb = np.stack([120 + 100 * np.sin(x / 7), 128 + 90 * np.cos(y / 5 + x / 11), 255 * x / w], 2)
    rgb[h // 4 : h // 2, w // 3 : w // 2] = (230, 30, 20)
    rgb[h // 2 :, : w // 4] = (20, 40, 220)
    return np.clip(rgb + rng.normal(0, 4, rgb.shape), 0, 255).astype(np.uint8)


H, W = 29, 37
rgb = scene(H, W)
grey = np.asarray(Image.fromarray(rgb).convert("L"))
ramp = np.clip(np.add.outer(np.arange(H), np.arange(W)) * 4, 0, 255).astype(np.uint8)

# ---------------------------------------------------------------- PNG, written here because Pillow cannot write most kinds


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_rows(samples, depth):
    """samples [h,w,s] integers -> rows of packed bytes"""
    h = samples.shape[0]
    flat = samples.reshape(h, -1)
    if depth == 16:
        return [r.astype(">u2").tobytes() for r in flat]
    if depth == 8:
        return [r.astype(np.uint8).tobytes() for r in flat]
    bits = ((flat[..., None] >> np.arange(depth - 1, -1, -1)) & 1).reshape(h, -1).astype(np.uint8)
    return [np.packbits(r).tobytes() for r in bits]


def filtered(rows, bpp):
    """Every filter type in turn, so that all five are read."""
    out, before = [], bytes(len(rows[0])) if rows else b""
    for i, row in enumerate(rows):
        kind = i % 5
        line = bytearray()
        for k, value in enumerate(row):
            a = row[k - bpp] if k >= bpp else 0
            b = before[k]
            c = before[k - bpp] if k >= bpp else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line.append((value - (0, a, b, (a + b) // 2, paeth)[kind]) & 255)
        out.append(bytes([kind]) + bytes(line))
        before = row
    return b"".join(out)


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(samples, depth, color_type, interlace=False, extra=b"", after=b""):
    h, w, s = samples.shape
    bpp = max(1, s * depth // 8)
    if interlace:
        raw = b"".join(
            filtered(pack_rows(samples[y::dy, x::dx], depth), bpp)
            for x, y, dx, dy in ADAM7 if samples[y::dy, x::dx].size)
    else:
        raw = filtered(pack_rows(samples, depth), bpp)
    data = zlib.compress(raw, 9)
    cut = len(data) // 3  # two IDAT chunks, as big files have
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, color_type, 0, 0, int(interlace)))
            + extra + chunk(b"IDAT", data[:cut]) + chunk(b"IDAT", data[cut:]) + chunk(b"IEND", b"") + after)


def on_white(color, alpha):
    """round((c a + 255 (255 - a)) / 255), halves up"""
    c, a = color.astype(np.int64), alpha.astype(np.int64)[..., None]
    return ((c * a + 255 * (255 - a) + 127) // 255).astype(np.uint8)


def to8(samples, depth):
    return np.floor(samples.astype(np.float64) * 255 / (2**depth - 1) + 0.5).astype(np.uint8)


def golden(name, data, expected, tolerance, reason, pillow=None):
    """pillow: how far Pillow's own reading may be from `expected` (None: Pillow reads this kind wrongly)."""
    write(f"decode/{name}", data)
    save_npy(f"decode/{name}.npy", expected)
    if pillow is not None:
        im = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        if im.mode in ("RGBA", "LA", "PA") or "transparency" in im.info:
            im = im.convert("RGBA")
            im = Image.alpha_composite(Image.new("RGBA", im.size, (255,) * 4), im)
        got = np.asarray(im.convert("RGB")).astype(int)
        assert got.shape == expected.shape, (name, got.shape)
        assert np.abs(got - expected).max() <= pillow, (name, np.abs(got - expected).max())
    manifest["decode"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "tolerance": tolerance, "reason": reason}


grey3 = lambda g: np.repeat(g[..., None], 3, 2)
exact = "PNG is lossless; 16 bits and alpha round as the formula does"
for depth in (1, 2, 4, 8, 16):
    value = grey.astype(np.int64) * 257 if depth == 16 else grey.astype(np.int64) >> (8 - depth)
    if depth == 16:
        value = np.clip(value + 100 * (ramp.astype(np.int64) % 3), 0, 65535)
    for interlace in (False, True):
        name = f"grey{depth}{'-interlaced' if interlace else ''}.png"
        # Pillow reads 16-bit grey as I;16, whose conversion to RGB clips at 255: not comparable.
        golden(name, png(value[..., None], depth, 0, interlace), grey3(to8(value, depth)), 0, exact, None if depth == 16 else 0)
key = int(grey[3, 3] >> 4)
golden("grey4-trns.png", png((grey.astype(np.int64) >> 4)[..., None], 4, 0, extra=chunk(b"tRNS", struct.pack(">H", key))),
       np.where(grey3(grey >> 4) == key, 255, grey3(to8(grey >> 4, 4))), 0, exact)
rgb_key = [int(v) for v in rgb[3, 3]]
golden("rgb8-trns-high-bits.png", png(rgb.astype(np.int64), 8, 2, extra=chunk(b"tRNS", struct.pack(">HHH", rgb_key[0] | 0x6800, *rgb_key[1:]))),
       np.where((rgb == rgb[3, 3]).all(2)[..., None], 255, rgb), 0, exact, 0)
rgb16 = rgb.astype(np.int64) * 257 + (ramp.astype(np.int64) % 5)[..., None] * 20
rgb16 = np.clip(rgb16, 0, 65535)
alpha = np.clip(ramp, 0, 255)
for interlace in (False, True):
    tail = "-interlaced" if interlace else ""
    golden(f"rgb8{tail}.png", png(rgb.astype(np.int64), 8, 2, interlace), rgb, 0, exact, 0)
    golden(f"rgb16{tail}.png", png(rgb16, 16, 2, interlace), to8(rgb16, 16), 0, exact, 1)
    golden(f"rgba8{tail}.png", png(np.dstack([rgb, alpha]).astype(np.int64), 8, 6, interlace), on_white(rgb, alpha), 0, exact, 1)
    golden(f"rgba16{tail}.png", png(np.dstack([rgb16, alpha.astype(np.int64) * 257]), 16, 6, interlace),
           on_white(to8(rgb16, 16), alpha), 0, exact, 2)
    golden(f"greyalpha8{tail}.png", png(np.dstack([grey, alpha]).astype(np.int64), 8, 4, interlace), on_white(grey3(grey), alpha), 0, exact, 1)
    golden(f"greyalpha16{tail}.png", png(np.dstack([grey, alpha]).astype(np.int64) * 257, 16, 4, interlace), on_white(grey3(grey), alpha), 0, exact, None)
    for depth in (1, 2, 4, 8):
        q = Image.fromarray(rgb).quantize(2**depth)
        index = np.asarray(q).astype(np.int64)
        palette = np.asarray(q.getpalette()[: 3 * 2**depth], dtype=np.uint8).reshape(-1, 3)
        palette = np.vstack([palette, np.zeros((2**depth - len(palette), 3), np.uint8)])
        plte = chunk(b"PLTE", palette.tobytes())
        golden(f"palette{depth}{tail}.png", png(index[..., None], depth, 3, interlace, plte), palette[index], 0, exact, 0)
opacity = np.array([0, 128], dtype=np.uint8)
alphas = np.concatenate([opacity, np.full(254, 255, np.uint8)])
golden("palette8-trns.png", png(index[..., None], 8, 3, False, plte + chunk(b"tRNS", opacity.tobytes())),
       on_white(palette[index], alphas[index]), 0, exact, 1)
dot = rgb[5, 5].astype(np.int64)
golden("rgb8-trns.png", png(rgb.astype(np.int64), 8, 2, extra=chunk(b"tRNS", struct.pack(">HHH", *dot))),
       np.where((rgb == dot).all(2)[..., None], 255, rgb), 0, exact, 0)
golden("trailing-garbage.png", png(rgb.astype(np.int64), 8, 2, after=b"left over from a larger file" * 3), rgb, 0, exact, 0)
golden("one-pixel.png", png(rgb[:1, :1].astype(np.int64), 8, 2), rgb[:1, :1], 0, exact, 0)
golden("one-pixel-interlaced.png", png(rgb[:1, :1].astype(np.int64), 8, 2, True), rgb[:1, :1], 0, exact, 0)


def exif(orientation, order):
    pack = lambda f, *v: struct.pack(order + f, *v)
    head = (b"II*\0" if order == "<" else b"MM\0*") + pack("I", 8)
    return head + pack("H", 1) + pack("HHI", 0x0112, 3, 1) + pack("HH", orientation, 0) + pack("I", 0)


golden("exif6.png", png(rgb.astype(np.int64), 8, 2, extra=chunk(b"eXIf", exif(6, ">"))), np.rot90(rgb, -1), 0, exact, 0)

# ---------------------------------------------------------------- JPEG

photo = Image.fromarray(scene(43, 61))
same = "Pillow's pixels byte for byte: libjpeg-turbo's integer transform, upsampling and colours"


def jpeg(name, image, edit=lambda d: d, tolerance=0, reason=same, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=options.pop("quality", 88), **options)
    data = edit(buffer.getvalue())
    im = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    golden(name, data, np.asarray(im.convert("RGB")), tolerance, reason)


def find_adobe(data):
    at = data.index(b"\xff\xee")
    return at, at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]


def without_adobe(data):
    start, end = find_adobe(data)
    return data[:start] + data[end:]


def adobe_transform(value):
    def edit(data):
        start, _ = find_adobe(data)
        return data[: start + 15] + bytes([value]) + data[start + 16 :]
    return edit


def without_jfif_with_adobe(transform):
    """Photoshop's way: no JFIF segment, an Adobe one instead."""
    def edit(data):
        at = data.index(b"\xff\xe0")
        end = at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        return data[:at] + b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform]) + data[end:]
    return edit


for sub in ("4:4:4", "4:2:2", "4:2:0"):
    tag = sub.replace(":", "")
    jpeg(f"baseline{tag}.jpg", photo, subsampling=sub)
    jpeg(f"progressive{tag}.jpg", photo, subsampling=sub, progressive=True)


def swap_sampling(data):
    """4:2:2 turned on its side: the sampling factors of luma become 1 x 2. Only right for a picture made for it, see below."""
    at = data.index(b"\xff\xc0")
    first = at + 10
    assert data[first + 1] == 0x21
    return data[: first + 1] + b"\x12" + data[first + 2 :]


# One MCU holds two luma blocks in both cases. In a picture of a single MCU (16 x 8 becomes 8 x 16) the stream stays valid.
small = Image.fromarray(scene(8, 16))


def tall(data):
    data = swap_sampling(data)
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", 16, 8) + data[at + 9 :]


jpeg("baseline440.jpg", small, edit=tall, subsampling="4:2:2")
jpeg("grey.jpg", photo.convert("L"))
jpeg("grey-progressive.jpg", photo.convert("L"), progressive=True)
jpeg("restart.jpg", photo, restart_marker_blocks=3)
jpeg("grey-restart.jpg", photo.convert("L"), restart_marker_blocks=3)
jpeg("adobe-rgb.jpg", photo, keep_rgb=True)
jpeg("rgb-ids.jpg", photo, edit=without_adobe, keep_rgb=True)
jpeg("adobe-ycc420.jpg", photo, edit=without_jfif_with_adobe(1))
jpeg("cmyk.jpg", photo.convert("CMYK"))
jpeg("cmyk-no-adobe.jpg", photo.convert("CMYK"), edit=without_adobe)
jpeg("ycck.jpg", photo.convert("CMYK"), edit=adobe_transform(2))
jpeg("trailing-garbage.jpg", photo, edit=lambda d: d + b"\0" * 37)
jpeg("one-pixel.jpg", Image.fromarray(rgb[:1, :1]), quality=95)
jpeg("narrow420.jpg", Image.fromarray(scene(40, 3)), subsampling="4:2:0")
jpeg("odd420.jpg", Image.fromarray(scene(17, 33)), subsampling="4:2:0")
for o in range(1, 9):
    jpeg(f"exif{o}.jpg", Image.fromarray(scene(16, 24)), exif=b"Exif\0\0" + exif(o, "<" if o % 2 else ">"), subsampling="4:4:4")

for sub in ("4:2:2", "4:2:0"):
    tag = sub.replace(":", "")
    jpeg(f"cmyk{tag}.jpg", photo.convert("CMYK"), subsampling=sub)
    jpeg(f"ycck{tag}.jpg", photo.convert("CMYK"), edit=adobe_transform(2), subsampling=sub, progressive=sub == "4:2:0")
jpeg("progressive-restart.jpg", Image.fromarray(scene(53, 75)), progressive=True, restart_marker_blocks=3)
jpeg("quality1.jpg", photo, quality=1)
jpeg("quality100.jpg", photo, quality=100)


def between_segments(data):
    """Bytes that belong to no segment, as some cameras leave them; the second holds a stuffed 0xff."""
    at = data.index(b"\xff\xc4")
    first = data.index(b"\xff\xdb")
    return data[:first] + b"junk" + data[first:at] + b"more \xff\x00 junk" + data[at:]


def fill_bytes(data):
    """0xff before a restart marker, any number of them (T.81, B.1.1.2)."""
    return re.sub(rb"\xff([\xd0-\xd7])", lambda m: b"\xff" * 4 + m[1], data)


def same_numbers(data):
    """All components have number 1, and the scan means the next one each time."""
    frame, scan = data.index(b"\xff\xc0") + 10, data.index(b"\xff\xda") + 5
    out = bytearray(data)
    out[frame + 3] = out[frame + 6] = out[scan + 2] = out[scan + 4] = 1
    return bytes(out)


def exif_entries(*entries):
    """An EXIF block of entries (count, two values) for the orientation."""
    body = b"".join(struct.pack("<HHIHH", 0x0112, 3, *entry) for entry in entries)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)


def xmp_packet(value):
    return b'<x:xmpmeta><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/></x:xmpmeta>' % value


def two_packets(data):
    def segment(value):
        text = b"http://ns.adobe.com/xap/1.0/\0" + xmp_packet(value)
        return b"\xff\xe1" + struct.pack(">H", len(text) + 2) + text
    return data[:2] + segment(6) + segment(3) + data[2:]


jpeg("same-numbers.jpg", photo, edit=same_numbers)
jpeg("exif-two-values.jpg", small, exif=exif_entries((2, 6, 0)))
jpeg("exif-twice.jpg", small, exif=exif_entries((1, 6, 0), (1, 3, 0)))
jpeg("xmp-twice.jpg", small, edit=two_packets)
jpeg("between-segments.jpg", photo, edit=between_segments)
jpeg("fill-bytes.jpg", photo, edit=fill_bytes, restart_marker_blocks=2)
jpeg("fill-bytes-progressive.jpg", photo, edit=fill_bytes, restart_marker_blocks=2, progressive=True)


def without_tables(data):
    """A frame of Motion JPEG: the usual Huffman tables are left out."""
    while b"\xff\xc4" in data:
        at = data.index(b"\xff\xc4")
        data = data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :]
    return data


def cjpeg(*options):
    """libjpeg-turbo's own encoder, for what Pillow cannot write."""
    ppm = io.BytesIO()
    photo.save(ppm, "PPM")
    made = subprocess.run(["cjpeg", *options], input=ppm.getvalue(), capture_output=True, check=True).stdout
    return lambda _: made


jpeg("motion.jpg", photo, edit=without_tables)
jpeg("arithmetic.jpg", photo, edit=cjpeg("-arithmetic", "-restart", "2", "-quality", "80"))
jpeg("arithmetic-progressive.jpg", photo, edit=cjpeg("-arithmetic", "-progressive", "-sample", "2x1"))
jpeg("uneven-sampling.jpg", photo, edit=cjpeg("-sample", "2x2,1x2,2x1"))
jpeg("quarter-sampling.jpg", photo, edit=cjpeg("-sample", "4x1", "-progressive"))


def exif_long(orientation, order):
    pack = lambda f, *v: struct.pack(order + f, *v)
    head = (b"II*\0" if order == "<" else b"MM\0*") + pack("I", 8)
    return head + pack("H", 1) + pack("HHII", 0x0112, 4, 1, orientation) + pack("I", 0)


xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="%d"/></x:xmpmeta>'
jpeg("exif-long6.jpg", Image.fromarray(scene(16, 24)), exif=b"Exif\0\0" + exif_long(6, ">"))
jpeg("exif-long8.jpg", Image.fromarray(scene(16, 24)), exif=b"Exif\0\0" + exif_long(8, "<"))
jpeg("xmp3.jpg", Image.fromarray(scene(16, 24)), xmp=(xmp % 3).encode())


def raw_profile(orientation):
    """As ImageMagick writes it."""
    block = b"Exif\0\0" + exif(orientation, "<")
    digits = block.hex()
    lines = [digits[k : k + 72] for k in range(0, len(digits), 72)]
    return f"\nexif\n{len(block):8d}\n".encode() + "\n".join(lines).encode() + b"\n"


def turned(name, extra, orientation):
    golden(name, png(rgb.astype(np.int64), 8, 2, extra=extra), {6: np.rot90(rgb, -1), 8: np.rot90(rgb, 1), 3: rgb[::-1, ::-1]}[orientation], 0, exact, 0)


key = b"Raw profile type exif\0"
turned("raw-exif6.png", chunk(b"tEXt", key + raw_profile(6)), 6)
turned("raw-exif8-compressed.png", chunk(b"zTXt", key + b"\0" + zlib.compress(raw_profile(8))), 8)
turned("xmp6.png", chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + (xmp % 6).encode()), 6)
turned("xmp3-compressed.png", chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress((xmp % 3).encode())), 3)
turned("exif-long8.png", chunk(b"eXIf", exif_long(8, "<")), 8)
# An animated PNG shows its first picture.
frames = [Image.fromarray(rgb), Image.fromarray(rgb[::-1].copy())]
buffer = io.BytesIO()
frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
golden("animated.png", buffer.getvalue(), rgb, 0, exact, 0)

# ---------------------------------------------------------------- BMP

windows = "Pillow's pixels byte for byte"


def bmp(name, image=None, data=None, expected=None):
    if data is None:
        buffer = io.BytesIO()
        image.save(buffer, "BMP")
        data = buffer.getvalue()
    if expected is None:
        im = Image.open(io.BytesIO(data))
        if im.mode == "RGBA":
            im = Image.alpha_composite(Image.new("RGBA", im.size, (255,) * 4), im)
        expected = np.asarray(im.convert("RGB"))
    golden(name, data, expected, 0, windows)


def dib(w, h, bits, compression, palette, pixels, masks=b"", size=40):
    """A bitmap written here, for the kinds that Pillow does not write. Masks beyond a 40-byte header lie inside a larger one."""
    head = struct.pack("<IiiHHIIiiII", size, w, h, 1, bits, compression, len(pixels), 2835, 2835, len(palette) // 4, 0)
    head += masks + bytes(size - 40 - len(masks) if size > 40 else 0)
    offset = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + head + palette + pixels


def padded(rows):
    return b"".join(r + bytes(-len(r) % 4) for r in rows)


bmp("rgb24.bmp", Image.fromarray(rgb))
bmp("grey8.bmp", Image.fromarray(grey))
bmp("palette8.bmp", Image.fromarray(rgb).quantize(200))
bmp("one-bit.bmp", Image.fromarray(grey).convert("1"))
bgrx = np.dstack([rgb[..., ::-1], alpha])
bmp("rgb32.bmp", data=dib(W, H, 32, 0, b"", bgrx[::-1].tobytes()))
bmp("top-down.bmp", data=dib(W, -H, 24, 0, b"", padded([r.tobytes() for r in rgb[..., ::-1]])))
bmp("rgba32.bmp", data=dib(W, H, 32, 3, b"", bgrx[::-1].tobytes(), struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000), 56),
    expected=on_white(rgb, alpha))
wide = rgb.astype(np.uint16)
bmp("565.bmp", data=dib(W, H, 16, 3, b"", padded([(((r[:, 0] >> 3) << 11) | ((r[:, 1] >> 2) << 5) | (r[:, 2] >> 3)).astype("<u2").tobytes() for r in wide[::-1]]),
    struct.pack("<III", 0xF800, 0x7E0, 0x1F)))
bmp("555.bmp", data=dib(W, H, 16, 0, b"", padded([(((r[:, 0] >> 3) << 10) | ((r[:, 1] >> 3) << 5) | (r[:, 2] >> 3)).astype("<u2").tobytes() for r in wide[::-1]])))
sixteen = bytes(v for i in range(16) for v in (i * 16, 255 - i * 16, i * 5, 0))
four = (grey >> 4).astype(np.uint8)
four_rows = [np.pad(r, (0, -len(r) % 2)) for r in four[::-1]]
bmp("palette4.bmp", data=dib(W, H, 4, 0, sixteen, padded([((r[::2] << 4) | r[1::2]).tobytes() for r in four_rows])))
runs = b"".join(b"".join(bytes([3, int(v)]) for v in r[: W // 3]) + b"\0\0" for r in four[::-1, ::3])
literal = b"\0\x05\1\2\3\4\5\0" + b"\x04\7" + b"\0\0" + b"\0\2\3\1" + b"\5\x09\0\0" + b"\1\1\0\0" + b"\1\2\0\0" + b"\0\1"
grey_palette = bytes(v for i in range(256) for v in (i, i, i, 0))
bmp("rle8.bmp", data=dib(W // 3 * 3, H, 8, 1, sixteen, runs + b"\0\1"))
bmp("rle8-literal.bmp", data=dib(16, 5, 8, 1, grey_palette, literal))
bmp("rle4.bmp", data=dib(8, 2, 4, 2, sixteen, b"\6\x12\2\x33\0\0" + b"\0\x05\x45\x67\x80\0" + b"\3\x9a" + b"\0\0\0\1"))
os2 = b"BM" + struct.pack("<IHHI", 0, 0, 0, 26 + 6) + struct.pack("<IHHHH", 12, 5, 3, 1, 1) + bytes([255, 0, 0, 0, 0, 255]) + padded([b"\xa8", b"\x50", b"\xf8"])
bmp("os2.bmp", data=os2)

# ---------------------------------------------------------------- formats read by the package sharp


def other(name, image, tolerance=0, reason="Pillow's pixels byte for byte", **options):
    path = os.path.join(here, "other", name)
    image.save(path, **options)
    im = ImageOps.exif_transpose(Image.open(path))
    if im.mode == "I;16":
        expected = grey3(to8(np.asarray(im), 16))
    else:
        im = im.convert("RGBA")
        expected = on_white(np.asarray(im)[..., :3], np.asarray(im)[..., 3])
    save_npy(f"other/{name}.npy", expected)
    manifest["other"][name] = {"tolerance": tolerance, "reason": reason}


small = Image.fromarray(rgb)
clear = Image.fromarray(np.dstack([rgb, alpha]))
turned_exif = Image.Exif()
turned_exif[0x0112] = 6
frames = dict(save_all=True, append_images=[small.transpose(Image.Transpose.FLIP_TOP_BOTTOM)])
other("lossy.webp", small, quality=80)
other("lossless.webp", clear, lossless=True, exact=True)
other("alpha.webp", clear, quality=80)
other("exif6.webp", small, quality=90, exif=turned_exif)
other("animated.webp", small, **frames)
other("animated.gif", small, **frames)
keyed = small.quantize(32)
other("transparent.gif", keyed, transparency=3)
other("lzw.tiff", small, compression="tiff_lzw")
other("deflate.tiff", clear, compression="tiff_adobe_deflate")
other("jpeg.tiff", small, compression="jpeg")
other("palette.tiff", keyed)
other("fax.tiff", Image.fromarray(grey).convert("1"), compression="group4")
other("grey16.tiff", Image.fromarray((grey.astype(np.uint16) * 257)))
other("exif6.tiff", small, exif=turned_exif)
other("xmp6.webp", small, lossless=True, xmp=xmp_packet(6))
xmp_tag = TiffImagePlugin.ImageFileDirectory_v2()
xmp_tag.tagtype[700] = 1
xmp_tag[700] = xmp_packet(8)
other("xmp8.tiff", small, tiffinfo=xmp_tag)
xmp_tag[0x0112] = 1
other("xmp8-upright.tiff", small, tiffinfo=xmp_tag)  # the tag counts, a packet beside it may be stale
other("big.tiff", small, big_tiff=True, exif=turned_exif)
Image.fromarray(rgb[:4, :4]).convert("CMYK").save(os.path.join(here, "other", "cmyk.tiff"))  # refused
other("444.avif", small, tolerance=1, reason="libheif and libavif round the colour matrix differently", quality=100, subsampling="4:4:4")
other("xmp3.avif", small, tolerance=1, reason="libheif and libavif round the colour matrix differently", quality=100, subsampling="4:4:4", xmp=xmp_packet(3))

# ---------------------------------------------------------------- refusals


def refuse(name, data):
    write(f"refuse/{name}", data)
    manifest["refuse"].append(name)


plain = png(rgb.astype(np.int64), 8, 2)
interlaced = png(rgb.astype(np.int64), 8, 2, True)
buffer = io.BytesIO()
photo.save(buffer, "JPEG", quality=88)
plain_jpeg = buffer.getvalue()
refuse("empty.png", b"")
refuse("text.png", b"this is not a picture\n")
refuse("truncated.png", plain[: len(plain) // 2])
refuse("no-iend.png", plain[:-12])
refuse("crc.png", plain[:60] + bytes([plain[60] ^ 255]) + plain[61:])


def header(w, h, depth=8, color=2, interlace=0):
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, color, 0, 0, interlace))


def bomb(w, h, claim_w, claim_h, interlace):
    """Highly compressible zeros for w x h, under a header that says claim_w x claim_h."""
    z = zlib.compressobj(9)
    data = z.compress(b"")
    for _ in range(h):
        data += z.compress(bytes(1 + w * 3))
    return header(claim_w, claim_h, interlace=interlace) + chunk(b"IDAT", data + z.flush()) + chunk(b"IEND", b"")


# 30,000 x 30,000: one bit a pixel keeps the file small; the size is refused before any of it is read
z = zlib.compressobj(9)
rows = z.compress(bytes(16)) + z.flush()
refuse("huge-30000.png", header(30000, 30000, 1, 0) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
refuse("too-long.png", bomb(2000, 2000, 40, 40, 0))
refuse("too-long-interlaced.png", bomb(2000, 2000, 40, 40, 1))
refuse("short-pixels.png", header(40, 40) + chunk(b"IDAT", zlib.compress(bytes(500))) + chunk(b"IEND", b""))
refuse("broken-deflate.png", header(40, 40) + chunk(b"IDAT", b"\x78\x9c" + bytes(range(60))) + chunk(b"IEND", b""))
refuse("no-pixels.png", header(40, 40) + chunk(b"IEND", b""))
refuse("zero-width.png", header(0, 40) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))
refuse("depth-3.png", header(40, 40, 3, 0) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))
refuse("no-palette.png", header(40, 40, 8, 3) + chunk(b"IDAT", zlib.compress(bytes(41 * 40))) + chunk(b"IEND", b""))
refuse("truncated.jpg", plain_jpeg[: len(plain_jpeg) * 2 // 3])
refuse("header-only.jpg", plain_jpeg[:200])
refuse("missing-middle.jpg", plain_jpeg[: len(plain_jpeg) // 2] + b"\xff\xd9")
at = plain_jpeg.index(b"\xff\xc0")
refuse("huge-60000.jpg", plain_jpeg[: at + 5] + struct.pack(">HH", 60000, 60000) + plain_jpeg[at + 9 :])
refuse("claims-98-megapixels.jpg", plain_jpeg[: at + 5] + struct.pack(">HH", 9900, 9900) + plain_jpeg[at + 9 :])
refuse("crc-only.png", plain[:29] + bytes([plain[29] ^ 1]) + plain[30:])
refuse("12-bit.jpg", plain_jpeg[: at + 4] + b"\x0c" + plain_jpeg[at + 5 :])
refuse("no-scan.jpg", plain_jpeg[: plain_jpeg.index(b"\xff\xda")] + b"\xff\xd9")
table = plain_jpeg.index(b"\xff\xc4") + 4
assert plain_jpeg[table] == 0 and sum(plain_jpeg[table + 1 : table + 17]) == 12
refuse("huffman-bits.jpg", plain_jpeg[: table + 17] + bytes([16]) + plain_jpeg[table + 18 :])
refuse("huffman-all-ones.jpg", plain_jpeg[: table + 1] + bytes([2] + [0] * 14 + [10]) + plain_jpeg[table + 17 :])
refuse("extension.jpg", plain_jpeg[:2] + b"\xff\xf0\x00\x04\x00\x00" + plain_jpeg[2:])
second = plain_jpeg.index(b"\xff\xda")
refuse("two-frames.jpg", plain_jpeg[:second] + plain_jpeg[at : at + 19] + plain_jpeg[second:])
refuse("missing-table.jpg", plain_jpeg.replace(plain_jpeg[plain_jpeg.index(b"\xff\xdb"):][:69], b"", 1))
buffer = io.BytesIO()
photo.save(buffer, "JPEG", quality=88, progressive=True)
progressive = buffer.getvalue()
scans = [m.start() for m in re.finditer(rb"\xff\xda", progressive)]
refuse("first-scans.jpg", progressive[: scans[3]] + b"\xff\xd9")
refuse("scan-twice.jpg", progressive[:-2] + progressive[scans[-1] :])
ihdr = chunk(b"IHDR", struct.pack(">IIBBBBB", 9000, 9000, 8, 2, 0, 0, 0))
refuse("two-headers.png", plain[:33] + ihdr + plain[33:])
refuse("idat-crc.png", plain[:-16] + bytes([plain[-16] ^ 1]) + plain[-15:])
refuse("palette-index.png", png(np.full((4, 4, 1), 3), 8, 3, extra=chunk(b"PLTE", bytes(9))))
refuse("palette-length.png", png(np.zeros((4, 4, 1), np.int64), 8, 3, extra=chunk(b"PLTE", bytes(10))))
refuse("palette-late.png", plain[:-12] + chunk(b"PLTE", bytes(9)) + plain[-12:])
refuse("unknown-chunk.png", plain[:33] + chunk(b"CgBI", bytes(4)) + plain[33:])
refuse("interrupted.png", plain[:-12] + chunk(b"tEXt", b"a\0b") + chunk(b"IDAT", b"") + plain[-12:])
refuse("filter.png", header(4, 4) + chunk(b"IDAT", zlib.compress(b"\x05" + bytes(12) + bytes(39))) + chunk(b"IEND", b""))
# Read by decodeAnyImage, refused by decodeImage.
for kind in ("GIF", "TIFF", "WEBP"):
    buffer = io.BytesIO()
    Image.fromarray(rgb[:4, :4]).save(buffer, kind)
    refuse(f"other.{kind.lower()}", buffer.getvalue())
bitmap = dib(40, 40, 8, 0, sixteen, bytes(1600))
refuse("short.bmp", bitmap[:-100])
refuse("index.bmp", dib(4, 4, 8, 0, sixteen, bytes([16] * 16)))
refuse("endless-runs.bmp", dib(40, 40, 8, 1, sixteen, b"\0\0" * 50 + b"\0\1"))
refuse("huge.bmp", dib(60000, 60000, 8, 0, sixteen, bytes(16)))
refuse("jpeg-inside.bmp", dib(40, 40, 0, 4, b"", bytes(16)))
refuse("other.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
refuse("other.avif", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif")

# ---------------------------------------------------------------- resize and crop

big = Image.fromarray(scene(61, 97))
buffer = io.BytesIO()
big.save(buffer, "PNG", optimize=True)
write("resize/input.png", buffer.getvalue())


def resize(name, width, height, box, reason, tolerance=0):
    out = np.asarray(big.resize((width, height), Image.BILINEAR).crop((box[0], box[1], box[0] + box[2], box[1] + box[3])))
    save_npy(f"resize/{name}.npy", out)
    manifest["resize"][name] = {"width": width, "height": height, "crop": box, "tolerance": tolerance, "reason": reason}


resize("same", 97, 61, [0, 0, 97, 61], "no pass at all")
resize("same-crop", 97, 61, [11, 7, 20, 30], "crop alone")
resize("down", 40, 25, [0, 0, 40, 25], "both passes, support over 1")
resize("down-crop", 40, 25, [8, 1, 24, 23], "crop after both passes")
resize("up", 150, 101, [0, 0, 150, 101], "enlarging: support stays 1")
resize("up-crop", 150, 101, [30, 40, 64, 48], "crop of an enlargement")
resize("columns", 33, 61, [0, 0, 33, 61], "one pass")
resize("rows", 97, 17, [0, 0, 97, 17], "the other pass")
resize("mixed", 130, 20, [3, 2, 100, 15], "up one way, down the other; Pillow 13 shrinks rows first here, Pillow 12 and before (and we) columns", 1)
resize("tiny", 3, 2, [0, 0, 3, 2], "wide support")
resize("one", 1, 1, [0, 0, 1, 1], "mean-like")

with open(os.path.join(here, "manifest.json"), "w") as f:
    json.dump(manifest, f, indent=1)
    f.write("\n")
print(len(manifest["decode"]), "decode,", len(manifest["resize"]), "resize,", len(manifest["refuse"]), "refuse")
