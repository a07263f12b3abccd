"""Writes the picture files of PictureReaderTest, and expected.json with what Pillow makes of each.

    python3 -m venv venv && venv/bin/pip install pillow==13.0.0 && venv/bin/python make.py ../resources/darkroom/edittasks/pictures

"displayed" is what Darkroom reads by default: orientation applied (ImageOps.exif_transpose), colour profile converted to sRGB
(ImageCms, perceptual), transparency over white. "asStored" is Image.open(file).convert("RGB"), as Edit-R1's code has it. Where
Pillow's value is not the truth (16-bit gray, which it clips), the script computes it and records it in "note".
"""

import base64
import io
import json
import struct
import sys
import zlib
from pathlib import Path

from PIL import Image, ImageCms, ImageFile, ImageOps, TiffImagePlugin

OUT = Path(sys.argv[1])
SIDE = 16
ROWS = []
SRGB = ImageCms.createProfile("sRGB")


# -- pictures ------------------------------------------------------------------------------------------------------------------


def rgb(width=SIDE, height=12):
    """Smooth, of all hues, with a dark corner that tells the orientation."""
    image = Image.new("RGB", (width, height))
    image.putdata(
        [
            (40 + 180 * x // width, 230 - 200 * y // height, 60 + (120 * (x + y)) // (width + height))
            if x + y > 5
            else (20, 10, 30)
            for y in range(height)
            for x in range(width)
        ]
    )
    return image


def gray(width=SIDE, height=12):
    image = Image.new("L", (width, height))
    image.putdata([(x * 16 + y * 5) % 256 if (x, y) != (3, 3) else 128 for y in range(height) for x in range(width)])
    return image


def alpha(width=SIDE, height=12):
    image = Image.new("L", (width, height))
    image.putdata([min(255, x * 17) for _ in range(height) for x in range(width)])
    return image


def rgba():
    image = rgb()
    image.putalpha(alpha())
    return image


# -- profiles ------------------------------------------------------------------------------------------------------------------


def s15(value):
    return struct.pack(">i", round(value * 65536))


def xyz(x, y, z):
    return b"XYZ \0\0\0\0" + s15(x) + s15(y) + s15(z)


def gamma(value):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256)) + b"\0\0"


def text(value):
    data = value.encode() + b"\0"
    body = b"desc\0\0\0\0" + struct.pack(">I", len(data)) + data + b"\0" * (4 + 4 + 2 + 1 + 67)
    return body + b"\0" * (-len(body) % 4)


def icc(space, kind, tags, pcs=b"XYZ "):
    """An ICC profile of version 2."""
    table, data = b"", b""
    offset = 128 + 4 + 12 * len(tags)
    for name, body in tags:
        table += name + struct.pack(">II", offset + len(data), len(body))
        data += body + b"\0" * (-len(body) % 4)
    body = struct.pack(">I", len(tags)) + table + data
    header = struct.pack(">I", 128 + len(body)) + b"none" + b"\x02\x40\0\0" + kind + space + pcs
    header += b"\x07\xe8\0\x01\0\x01\0\0\0\0\0\0" + b"acsp" + b"\0" * 28 + s15(0.9642) + s15(1.0) + s15(0.8249)
    return header + b"\0" * (128 - len(header)) + body


P3 = icc(
    b"RGB ",
    b"mntr",
    [
        (b"desc", text("wide")),
        (b"wtpt", xyz(0.9642, 1.0, 0.8249)),
        (b"rXYZ", xyz(0.51512, 0.2412, -0.00105)),
        (b"gXYZ", xyz(0.29198, 0.69225, 0.04189)),
        (b"bXYZ", xyz(0.1571, 0.06657, 0.78407)),
        (b"rTRC", gamma(2.2)),
        (b"gTRC", gamma(2.2)),
        (b"bTRC", gamma(2.2)),
        (b"cprt", b"text\0\0\0\0none\0\0\0\0"),
    ],
)
GRAY_18 = icc(
    b"GRAY",
    b"mntr",
    [
        (b"desc", text("gray")),
        (b"wtpt", xyz(0.9642, 1.0, 0.8249)),
        (b"kTRC", gamma(1.8)),
        (b"cprt", b"text\0\0\0\0none\0\0\0\0"),
    ],
)
GRAY_22 = icc(
    b"GRAY",
    b"mntr",
    [
        (b"desc", text("gray")),
        (b"wtpt", xyz(0.9642, 1.0, 0.8249)),
        (b"kTRC", gamma(2.2)),
        (b"cprt", b"text\0\0\0\0none\0\0\0\0"),
    ],
)


def inks():
    """A table from four inks to Lab, of two steps each."""
    ramp = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0])
    lut += b"".join(s15(v) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1)) + ramp * 4
    for c in (0, 1):
        for m in (0, 1):
            for y in (0, 1):
                for k in (0, 1):
                    light = max(10, 242 - 70 * c - 80 * m - 15 * y) // (5 if k else 1)
                    a = 128 + (-30 * c + 60 * m - 5 * y) // (4 if k else 1)
                    b = 128 + (-40 * c - 5 * m + 80 * y) // (4 if k else 1)
                    lut += bytes([light, a, b])
    return lut + ramp * 3


CMYK = icc(
    b"CMYK",
    b"prtr",
    [
        (b"desc", text("inks")),
        (b"wtpt", xyz(0.9642, 1.0, 0.8249)),
        (b"A2B0", inks()),
        (b"cprt", b"text\0\0\0\0none\0\0\0\0"),
    ],
    b"Lab ",
)


COARSE = "the profile's table has two steps an ink, and programs interpolate it differently"


# -- expected values -----------------------------------------------------------------------------------------------------------


def displayed(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA") if "transparency" in image.info else image.convert("RGB")
    opacity = image.getchannel("A") if image.mode in ("RGBA", "LA", "PA") else None
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            space = source.profile.xcolor_space.strip()
            base = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}[space]
            if image.mode in (base, base + "A"):
                plain = image.convert(base) if image.mode != base else image
                converted = ImageCms.profileToProfile(plain, source, SRGB, outputMode="RGB")
                image = converted
        except (ImageCms.PyCMSError, OSError, KeyError):
            pass
    image = image.convert("RGB")
    if opacity is not None:
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=opacity)
        image = white
    return image


def encoded(image):
    return [image.width, image.height, base64.b64encode(image.tobytes()).decode()]


def row(
    name,
    data,
    *conversions,
    tolerance=1,
    displayed_is=None,
    stored_is=None,
    note="",
    cuts=True,
    whole_from=None,
):
    """A file that is read. whole_from: the file is complete from so many bytes on."""
    (OUT / name).write_bytes(data)
    shown = displayed_is or displayed(data)
    stored = stored_is or Image.open(io.BytesIO(data)).convert("RGB")
    entry = {
        "file": name,
        "conversions": sorted(conversions),
        "tolerance": tolerance,
        "displayed": encoded(shown),
        "asStored": encoded(stored),
        "wholeFrom": whole_from or len(data),
    }
    if note:
        entry["note"] = note
    ROWS.append(entry)


def refused(name, data, kind, *words):
    (OUT / name).write_bytes(data)
    ROWS.append({"file": name, "refused": kind, "words": list(words)})


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


# -- PNG -----------------------------------------------------------------------------------------------------------------------


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, bits, colour, rows, *extra, interlace=0):
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace))
    for kind, body in extra:
        data += chunk(kind, body)
    return data + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r for r in rows))) + chunk(b"IEND", b"")


def pngs():
    row("rgb.png", saved(rgb(), "PNG"))
    row("gray.png", saved(gray(), "PNG"), "gray")
    row("gray-alpha.png", saved(Image.merge("LA", (gray(), alpha())), "PNG"), "gray", "alpha")
    row("rgba.png", saved(rgba(), "PNG"), "alpha")
    opaque = rgb()
    opaque.putalpha(255)
    row("rgba-opaque.png", saved(opaque, "PNG"))
    row("palette.png", saved(rgb().quantize(16), "PNG"))
    row("palette-transparent.png", saved(rgb().quantize(16), "PNG", transparency=3), "alpha")
    row("palette-alpha.png", saved(rgba().quantize(8, Image.Quantize.FASTOCTREE), "PNG"), "alpha")
    row("bilevel.png", saved(gray().convert("1"), "PNG"), "gray")
    deep = [x * 4096 + y * 300 for y in range(12) for x in range(SIDE)]
    deep_gray = Image.new("L", (SIDE, 12))
    deep_gray.putdata([round(v / 257) for v in deep])
    rows = [b"".join(struct.pack(">H", v) for v in deep[y * SIDE : (y + 1) * SIDE]) for y in range(12)]
    note = "Pillow clips 16-bit gray to 255 when it converts; the truth is value / 257"
    whole = deep_gray.convert("RGB")
    row("gray16.png", png(SIDE, 12, 16, 0, rows), "deep", "gray", displayed_is=whole, stored_is=whole, note=note)
    rows = [
        b"".join(struct.pack(">HHH", 65535 - v, v, (v * 7) % 65536) for v in deep[y * SIDE : (y + 1) * SIDE])
        for y in range(12)
    ]
    row("rgb16.png", png(SIDE, 12, 16, 2, rows), "deep")
    rows = [
        b"".join(struct.pack(">HHHH", 65535 - v, v, 9999, x * 4369) for x, v in enumerate(deep[y * SIDE : (y + 1) * SIDE]))
        for y in range(12)
    ]
    row("rgba16.png", png(SIDE, 12, 16, 6, rows), "deep", "alpha", tolerance=2)
    rows = [bytes([(y * 2 + x) % 4 * 85 & 0xFF for x in range(4)]) for y in range(12)]
    row("gray2.png", png(SIDE, 12, 2, 0, rows), "gray")
    keyed = [bytes((v * 3) % 256 for v in range(y, y + SIDE * 3)) for y in range(12)]
    row("rgb-colour-key.png", png(SIDE, 12, 8, 2, keyed, (b"tRNS", struct.pack(">HHH", 9, 12, 15))), "alpha")
    keyed = [bytes((x * 16) % 256 for x in range(SIDE)) for y in range(12)]
    row("gray-colour-key.png", png(SIDE, 12, 8, 0, keyed, (b"tRNS", struct.pack(">H", 128))), "gray", "alpha")
    row("interlaced.png", ADAM7)
    row("profile-p3.png", saved(rgb(), "PNG", icc_profile=P3), "profile", tolerance=2)
    alphas = rgba()
    row("profile-p3-alpha.png", saved(alphas, "PNG", icc_profile=P3), "profile", "alpha", tolerance=2)
    srgb = ImageCms.ImageCmsProfile(SRGB).tobytes()
    srgb = srgb[:24] + P3[24:36] + srgb[36:84] + b"\0" * 16 + srgb[100:]  # without the time of day and its digest
    row("profile-srgb.png", saved(rgb(), "PNG", icc_profile=srgb), tolerance=2)
    row("profile-gray.png", saved(gray(), "PNG", icc_profile=GRAY_18), "gray", "profile", tolerance=2)
    row("profile-gray22.png", saved(gray(), "PNG", icc_profile=GRAY_22), "gray", "profile", tolerance=2)
    row("profile-broken.png", saved(rgb(), "PNG", icc_profile=P3[:90] + b"xyz" * 20), "profile-ignored")
    row("profile-of-rgb-on-gray.png", saved(gray(), "PNG", icc_profile=P3), "gray", "profile-ignored")
    row("orientation-6.png", saved(rgb(), "PNG", exif=exif(6)), "orientation")
    gamma_only = png(SIDE, 12, 8, 2, [rgb().tobytes()[y * 48 : y * 48 + 48] for y in range(12)], (b"gAMA", struct.pack(">I", 100000)))
    row("gamma.png", gamma_only, note="gAMA, cHRM and cICP are ignored, as in Pillow")
    row("animated.png", saved(rgb(), "PNG", save_all=True, append_images=[rgb().transpose(0)]), "frames")
    row("png-named.jpg", saved(rgb(), "PNG"), "other-format")
    data = saved(rgb(), "PNG")
    refused("cut.png", data[: len(data) // 2], "CUT_OFF", "PNG", "inside of chunk IDAT")
    refused("no-end.png", data[:-12], "CUT_OFF", "PNG", "end mark (IEND)")
    refused("wrong-checksum.png", data[:60] + bytes([data[60] ^ 1]) + data[61:], "DAMAGED", "PNG", "checksum of chunk IDAT")
    short = png(SIDE, 12, 8, 2, [rgb().tobytes()[y * 48 : y * 48 + 48] for y in range(7)])
    refused("too-few-rows.png", short, "CUT_OFF", "PNG", "in the middle of its pixels")
    refused("text-mode.png", data.replace(b"\r\n", b"\n", 1), "DAMAGED", "PNG", "text mode")
    refused("huge.png", png(60000, 60000, 8, 2, [b""]), "TOO_LARGE", "PNG", "60000x60000", "SIDE_MAX")
    refused("many-pixels.png", png(8000, 8000, 8, 2, [b""]), "TOO_LARGE", "PNG", "64000000 pixels", "PIXELS_MAX")
    bomb = zlib.compress(b"\0" * (40 << 20), 9)
    refused(
        "profile-bomb.png",
        png(1, 1, 8, 0, [b"\1"], (b"iCCP", b"x\0\0" + bomb)),
        "TOO_LARGE",
        "PNG",
        "colour profile",
        "PROFILE_BYTES_MAX",
    )


# Pillow writes no interlaced PNG.
def adam7():
    image = rgb()
    raw = b""
    for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        for y in range(y0, image.height, dy):
            raw += b"\0" + b"".join(bytes(image.getpixel((x, y))) for x in range(x0, image.width, dx))
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 1))
    return head + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


ADAM7 = adam7()


# -- JPEG ----------------------------------------------------------------------------------------------------------------------


def segment(marker, body):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def adobe(data, transform):
    """The file with Adobe's marker for a transform: 0 none, 1 YCC, 2 YCCK; without JFIF's."""
    if data[2:4] == b"\xff\xe0":
        data = data[:2] + data[4 + struct.unpack(">H", data[4:6])[0] :]
    at = data.find(b"\xff\xee")
    if at >= 0:
        data = data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :]
    return data[:2] + segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform])) + data[2:]


def jpegs():
    row("rgb.jpg", saved(rgb(), "JPEG", quality=90))
    row("rgb-444.jpg", saved(rgb(), "JPEG", quality=90, subsampling=0))
    row("odd-size.jpg", saved(rgb(17, 11), "JPEG", quality=85))
    row("progressive.jpg", saved(rgb(), "JPEG", quality=90, progressive=True))
    row("restarts.jpg", saved(rgb(48, 40), "JPEG", quality=90, restart_marker_blocks=2))
    row("gray.jpg", saved(gray(), "JPEG", quality=95), "gray")
    row("gray-progressive.jpg", saved(gray(), "JPEG", quality=95, progressive=True), "gray")
    for n in range(1, 9):
        conversions = ["orientation"] if n > 1 else []
        row(f"orientation-{n}.jpg", saved(rgb(), "JPEG", quality=90, subsampling=0, exif=exif(n)), *conversions)
    row("orientation-9.jpg", saved(rgb(), "JPEG", quality=90, subsampling=0, exif=exif(9)), note="no valid orientation")
    bad = segment(0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xf0")
    plain = saved(rgb(), "JPEG", quality=90)
    row("exif-broken.jpg", plain[:2] + bad + plain[2:], note="EXIF that cannot be read gives no orientation")
    cmyk = Image.new("CMYK", (SIDE, 12))
    cmyk.putdata([(x * 16, y * 20, 128, (x + y) * 4) for y in range(12) for x in range(SIDE)])
    row("cmyk.jpg", saved(cmyk, "JPEG", quality=95), "cmyk")
    row("ycck.jpg", adobe(saved(cmyk, "JPEG", quality=95, subsampling=0), 2), "cmyk", tolerance=2)
    row("cmyk-unmarked.jpg", unmarked(saved(cmyk, "JPEG", quality=95)), "cmyk")
    row("adobe-rgb.jpg", adobe(saved(rgb(), "JPEG", quality=95, subsampling=0), 0), note="the components are RGB, not YCC")
    row("adobe-ycc.jpg", adobe(saved(rgb(), "JPEG", quality=95, subsampling=0), 1))
    row("profile-p3.jpg", saved(rgb(), "JPEG", quality=95, subsampling=0, icc_profile=P3), "profile", tolerance=3)
    row("profile-gray.jpg", saved(gray(), "JPEG", quality=95, icc_profile=GRAY_18), "gray", "profile", tolerance=3)
    row("profile-cmyk.jpg", saved(cmyk, "JPEG", quality=95, icc_profile=CMYK), "cmyk", "profile", tolerance=8, note=COARSE)
    row("profile-broken.jpg", saved(rgb(), "JPEG", quality=90, icc_profile=b"\0" * 200), "profile-ignored")
    row("profile-of-rgb-on-gray.jpg", saved(gray(), "JPEG", quality=95, icc_profile=P3), "gray", "profile-ignored")
    row("jpeg-named.png", plain, "other-format")
    row("bytes-behind-the-end.jpg", plain + b"a second picture of some camera", whole_from=len(plain))
    row("padding-before-the-end.jpg", plain[:-2] + b"\0" * 5 + plain[-2:])
    refused("cut.jpg", plain[: len(plain) * 9 // 10], "CUT_OFF", "JPEG", "end mark (EOI)")
    refused("no-end.jpg", plain[:-2], "CUT_OFF", "JPEG", "end mark (EOI)")
    scans = saved(rgb(), "JPEG", quality=90, progressive=True)
    last = scans.rfind(b"\xff\xda")
    refused("no-last-scan.jpg", scans[:last] + b"\xff\xd9", "CUT_OFF", "JPEG", "last scans of a progressive picture")
    sos = plain.find(b"\xff\xda")
    refused("few-pixels.jpg", plain[: sos + 30] + b"\xff\xd9", "DAMAGED", "JPEG")
    sof = plain.find(b"\xff\xc0")
    huge = plain[: sof + 5] + struct.pack(">HH", 60000, 60000) + plain[sof + 9 :]
    refused("huge.jpg", huge, "TOO_LARGE", "JPEG", "60000x60000", "SIDE_MAX")
    refused("arithmetic.jpg", plain[: sof + 1] + b"\xc9" + plain[sof + 2 :], "UNSUPPORTED", "JPEG", "arithmetic coding")
    refused("lossless.jpg", plain[: sof + 1] + b"\xc3" + plain[sof + 2 :], "UNSUPPORTED", "JPEG", "lossless coding")
    refused("twelve-bits.jpg", plain[: sof + 4] + b"\x0c" + plain[sof + 5 :], "UNSUPPORTED", "JPEG", "12 bits a sample")


def unmarked(data):
    at = data.find(b"\xff\xee")
    return data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :] if at >= 0 else data


# -- WebP ----------------------------------------------------------------------------------------------------------------------


def webps():
    row("lossy.webp", saved(rgb(), "WEBP", quality=80))
    row("lossy-low.webp", saved(rgb(33, 47), "WEBP", quality=10))
    row("lossless.webp", saved(rgb(), "WEBP", lossless=True))
    row("lossy-alpha.webp", saved(rgba(), "WEBP", quality=80), "alpha")
    row("lossy-alpha-coarse.webp", saved(rgba(), "WEBP", quality=60, alpha_quality=20), "alpha")
    row("lossless-alpha.webp", saved(rgba(), "WEBP", lossless=True, exact=True), "alpha")
    row("palette.webp", saved(rgb().quantize(4).convert("RGB"), "WEBP", lossless=True))
    row("gray.webp", saved(gray().convert("RGB"), "WEBP", quality=90), note="WebP has no gray: the file holds colours")
    row("profile-p3.webp", saved(rgb(), "WEBP", quality=95, icc_profile=P3), "profile", tolerance=3)
    row("profile-broken.webp", saved(rgb(), "WEBP", quality=95, icc_profile=b"none at all"), "profile-ignored")
    row("orientation-6.webp", saved(rgb(), "WEBP", quality=90, exif=exif(6)), "orientation")
    row("orientation-8-head.webp", saved(rgb(), "WEBP", lossless=True, exif=b"Exif\0\0" + exif(8)[6:]), "orientation")
    frames = [rgba(), rgba().transpose(0)]
    row("animated.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=80), "frames", "alpha")
    row("animated-offset.webp", OFFSET_WEBP, "alpha")
    row("webp-named.png", saved(rgb(), "WEBP", quality=80), "other-format")
    data = saved(rgb(), "WEBP", quality=80)
    row("bytes-behind-the-end.webp", data + b"\0" * 7, whole_from=len(data))
    refused("cut.webp", data[: len(data) // 2], "CUT_OFF", "WebP", "its header promises")
    inner = data[: len(data) // 2 & ~1]
    inner = inner[:4] + struct.pack("<I", len(inner) - 8) + inner[8:]
    refused("cut-chunk.webp", inner, "CUT_OFF", "WebP", "chunk VP8")
    half = len(data) // 2 & ~1
    inner = data[:4] + struct.pack("<I", half - 8) + data[8:16] + struct.pack("<I", half - 20) + data[20:half]
    refused("cut-stream.webp", inner, "CUT_OFF", "WebP", "pixels")
    refused("no-pixels.webp", b"RIFF" + struct.pack("<I", 4) + b"WEBP", "CUT_OFF", "WebP", "before its pixels")
    big = b"VP8X" + struct.pack("<I", 10) + b"\0" * 4 + b"\xff\xff\xff" * 2
    refused("huge.webp", b"RIFF" + struct.pack("<I", 4 + len(big)) + b"WEBP" + big, "TOO_LARGE", "WebP", "16777216", "SIDE_MAX")


def offset_webp():
    """One frame of 8x6 at (4, 2) on a canvas of 16x12; Pillow writes whole frames only."""
    still = saved(rgb(8, 6), "WEBP", lossless=True)[12:]
    three = lambda v: struct.pack("<I", v)[:3]
    frame = three(2) + three(1) + three(7) + three(5) + three(100) + b"\2" + still
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + b"\x12\0\0\0" + three(15) + three(11)
    body += b"ANIM" + struct.pack("<I", 6) + b"\0" * 6 + b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


OFFSET_WEBP = offset_webp()


# -- GIF -----------------------------------------------------------------------------------------------------------------------


def gifs():
    palette = rgb(40, 30).quantize(32)
    row("palette.gif", saved(palette, "GIF"))
    row("large.gif", saved(rgb(120, 90).quantize(256), "GIF"))
    row("interlaced.gif", saved(palette, "GIF", interlace=1))
    row("not-interlaced.gif", saved(palette, "GIF", interlace=0))
    row("gray.gif", saved(gray(), "GIF"))
    row("bilevel.gif", saved(gray().convert("1"), "GIF"))
    row("transparent.gif", saved(palette, "GIF", transparency=5), "alpha")
    row("animated.gif", saved(palette, "GIF", save_all=True, append_images=[rgb(40, 30).transpose(0).quantize(32)]), "frames")
    data = saved(palette, "GIF")
    row("offset.gif", on_screen(data, 64, 50, 7, 9))
    row("offset-transparent.gif", on_screen(saved(palette, "GIF", transparency=5), 64, 50, 7, 9), "alpha")
    row("bytes-behind-the-end.gif", data + b"\0rest", whole_from=len(data))
    row("gif-named.bmp", data, "other-format")
    refused("cut.gif", data[: len(data) // 2], "CUT_OFF", "GIF", "inside of")
    refused("no-end.gif", data[:-1], "CUT_OFF", "GIF", "end mark (trailer)")
    at = data.find(b"\x2c", 13 + 3 * 32) + 11
    refused("few-pixels.gif", data[:at] + b"\x04" + data[at + 1 : at + 5] + b"\0;", "CUT_OFF", "GIF", "of 1200 pixels")
    refused("huge.gif", data[:6] + struct.pack("<HH", 60000, 60000) + data[10:], "TOO_LARGE", "GIF", "60000x60000", "SIDE_MAX")


def on_screen(data, width, height, left, top):
    """The file with its frame at a place of a larger screen."""
    at = 13 + 3 * 32
    while data[at] == 0x21:
        at += 2
        while data[at]:
            at += data[at] + 1
        at += 1
    assert data[at] == 0x2C
    moved = data[:6] + struct.pack("<HH", width, height) + data[10 : at + 1] + struct.pack("<HH", left, top)
    return moved + data[at + 5 :]


# -- BMP -----------------------------------------------------------------------------------------------------------------------


def bmp(width, height, bits, compression, pixels, palette=b"", masks=b"", header=40):
    info = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, len(pixels), 2835, 2835, len(palette) // 4, 0)
    info += masks
    info += b"\0" * (header - len(info)) if header > 40 else b""
    offset = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + info + palette + pixels


def bmps():
    row("rgb.bmp", saved(rgb(15, 12), "BMP"))
    row("palette.bmp", saved(rgb().quantize(16), "BMP"))
    row("gray.bmp", saved(gray(), "BMP"), "gray")
    row("bilevel.bmp", saved(gray().convert("1"), "BMP"))
    pixels = b"".join(struct.pack("<BBBB", x * 16, y * 20, 100, 0) for y in range(12) for x in range(SIDE))
    row("rgbx.bmp", bmp(SIDE, -12, 32, 0, pixels), note="the fourth byte is no alpha without a mask")
    pixels = b"".join(struct.pack("<BBBB", x * 16, y * 20, 100, x * 17) for y in range(12) for x in range(SIDE))
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    row("rgba.bmp", bmp(SIDE, 12, 32, 3, pixels, masks=masks, header=124), "alpha")
    pixels = b"".join(struct.pack("<H", (x * 2) << 10 | (y * 2) << 5 | 9) for y in range(12) for x in range(SIDE))
    row("rgb555.bmp", bmp(SIDE, 12, 16, 0, pixels))
    palette = b"".join(bytes([i * 16, 255 - i * 16, 77, 0]) for i in range(16))
    runs = b"".join(b"\x06" + bytes([y]) + b"\0\x04" + bytes([1, 2, 3, 4]) + b"\x06" + bytes([y + 2]) + b"\0\0" for y in range(12))
    row("runs.bmp", bmp(SIDE, 12, 8, 1, runs + b"\0\1", palette))
    data = saved(rgb(15, 12), "BMP")
    row("bytes-behind-the-end.bmp", data + b"\0" * 9, whole_from=len(data))
    refused("cut.bmp", data[: len(data) // 2], "CUT_OFF", "BMP", "in the middle of its pixels")
    refused("cut-runs.bmp", bmp(SIDE, 12, 8, 1, runs, palette), "CUT_OFF", "BMP", "code that ends them")
    refused("huge.bmp", bmp(60000, 60000, 24, 0, b""), "TOO_LARGE", "BMP", "60000x60000", "SIDE_MAX")
    refused("png-inside.bmp", bmp(SIDE, 12, 0, 5, saved(rgb(), "PNG")), "UNSUPPORTED", "BMP", "a PNG inside")


# -- TIFF ----------------------------------------------------------------------------------------------------------------------


def tiffs():
    row("rgb.tiff", saved(rgb(), "TIFF"))
    row("gray.tiff", saved(gray(), "TIFF"), "gray")
    row("bilevel.tiff", saved(gray().convert("1"), "TIFF"))
    row("palette.tiff", saved(rgb().quantize(16), "TIFF"))
    row("rgba.tiff", saved(rgba(), "TIFF"), "alpha")
    row("gray-alpha.tiff", saved(Image.merge("LA", (gray(), alpha())), "TIFF"), "gray", "alpha")
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        row(f"{compression}.tiff", saved(rgb(), "TIFF", compression=compression))
    row("jpeg.tiff", saved(rgb(), "TIFF", compression="jpeg", quality=95), tolerance=4)
    row("fax.tiff", saved(gray().convert("1"), "TIFF", compression="group4"))
    cmyk = Image.new("CMYK", (SIDE, 12))
    cmyk.putdata([(x * 16, y * 20, 128, (x + y) * 4) for y in range(12) for x in range(SIDE)])
    row("cmyk.tiff", saved(cmyk, "TIFF"), "cmyk")
    row("profile-cmyk.tiff", saved(cmyk, "TIFF", icc_profile=CMYK), "cmyk", "profile", tolerance=8, note=COARSE)
    row("profile-p3.tiff", saved(rgb(), "TIFF", icc_profile=P3), "profile", tolerance=2)
    row("white-is-zero.tiff", white_is_zero(saved(gray(), "TIFF")), "gray")
    row("white-is-zero-bilevel.tiff", white_is_zero(saved(gray().convert("1"), "TIFF")))
    turned = TiffImagePlugin.ImageFileDirectory_v2()
    turned[274] = 6
    data = saved(rgb(), "TIFF", tiffinfo=turned)
    row("orientation-6.tiff", data, "orientation", stored_is=rgb(), note="Pillow applies a TIFF's orientation by itself; as-stored does not")
    deep = Image.new("I;16", (SIDE, 12))
    values = [x * 4096 + y * 300 for y in range(12) for x in range(SIDE)]
    deep.putdata(values)
    whole = Image.new("L", (SIDE, 12))
    whole.putdata([round(v / 257) for v in values])
    whole = whole.convert("RGB")
    note = "Pillow clips 16-bit gray to 255 when it converts; the truth is value / 257"
    row("gray16.tiff", saved(deep, "TIFF"), "deep", "gray", displayed_is=whole, stored_is=whole, note=note)
    light = ImageOps.invert(whole)
    data = white_is_zero(saved(deep, "TIFF"))
    row("white-is-zero16.tiff", data, "deep", "gray", displayed_is=light, stored_is=light, note=note)
    row("big-endian.tiff", BIG_ENDIAN)
    row("planes.tiff", PLANES)
    row("associated-alpha.tiff", ASSOCIATED, "alpha", stored_is=UNMULTIPLIED, tolerance=3)
    row("pages.tiff", saved(rgb(), "TIFF", save_all=True, append_images=[rgb().transpose(0)]), "frames")
    data = saved(rgb(), "TIFF")
    refused("cut.tiff", data[: len(data) // 2], "CUT_OFF", "TIFF")
    refused("float.tiff", saved(gray().convert("F"), "TIFF"), "UNSUPPORTED", "TIFF", "32 bits")
    zstd = saved(rgb(), "TIFF", compression="zstd")
    refused("zstd.tiff", zstd, "UNSUPPORTED", "TIFF", "compression 50000")
    wide = data.replace(struct.pack("<HHII", 256, 4, 1, SIDE), struct.pack("<HHII", 256, 4, 1, 60000))
    wide = wide.replace(struct.pack("<HHIHH", 256, 3, 1, SIDE, 0), struct.pack("<HHIHH", 256, 3, 1, 60000, 0))
    refused("huge.tiff", wide, "TOO_LARGE", "TIFF", "60000x12", "SIDE_MAX")


def white_is_zero(data):
    data = bytearray(data)
    for value in (struct.pack("<HHIHH", 262, 3, 1, 1, 0),):
        at = data.find(value)
        assert at > 0
        data[at + 8] = 0
    return bytes(data)


def tiff(width, height, entries, pixels, order=">"):
    """A TIFF of one strip or more, of entries {tag: (type, values)}."""
    sizes = {3: "H", 4: "I"}
    entries = dict(entries)
    entries[256], entries[257] = (4, [width]), (4, [height])
    entries[273], entries[279] = (4, [0] * len(pixels)), (4, [len(p) for p in pixels])
    entries.setdefault(278, (4, [height]))
    head = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "I", 8)
    start = 8 + 2 + 12 * len(entries) + 4
    long = sum(len(v) * struct.calcsize(sizes[t]) for t, v in entries.values() if len(v) * struct.calcsize(sizes[t]) > 4)
    at = start + long
    for i, p in enumerate(pixels):
        entries[273][1][i] = at
        at += len(p)
    table, data = struct.pack(order + "H", len(entries)), b""
    for tag in sorted(entries):
        kind, values = entries[tag]
        body = struct.pack(order + str(len(values)) + sizes[kind], *values)
        table += struct.pack(order + "HHI", tag, kind, len(values))
        if len(body) <= 4:
            table += body + b"\0" * (4 - len(body))
        else:
            table += struct.pack(order + "I", start + len(data))
            data += body
    return head + table + struct.pack(order + "I", 0) + data + b"".join(pixels)


RGB_TAGS = {258: (3, [8, 8, 8]), 259: (3, [1]), 262: (3, [2]), 277: (3, [3])}
BIG_ENDIAN = tiff(SIDE, 12, RGB_TAGS, [rgb().tobytes()])
PLANES = tiff(SIDE, 12, {**RGB_TAGS, 284: (3, [2])}, [band.tobytes() for band in rgb().split()])
MULTIPLIED = [
    tuple(round(c * a / 255) for c in p) + (a,) for p, a in zip(rgb().getdata(), alpha().getdata())
]
ASSOCIATED = tiff(
    SIDE,
    12,
    {258: (3, [8] * 4), 259: (3, [1]), 262: (3, [2]), 277: (3, [4]), 338: (3, [1])},
    [b"".join(map(bytes, MULTIPLIED))],
)
UNMULTIPLIED = Image.new("RGB", (SIDE, 12))
UNMULTIPLIED.putdata([tuple(min(255, round(c * 255 / a)) if a else 0 for c in p[:3]) for p in MULTIPLIED for a in p[3:]])


# -- what is no picture that is read ---------------------------------------------------------------------------------------------


def others():
    box = lambda brand, *more: struct.pack(">I", 16 + 4 * len(more)) + b"ftyp" + brand + b"\0\0\0\0" + b"".join(more)
    refused("picture.avif", saved(rgb(), "AVIF"), "UNSUPPORTED", "an AVIF picture")
    refused("heif.heic", box(b"heic", b"mif1") + b"\0" * 32, "UNSUPPORTED", "a HEIC picture")
    refused("heif.heif", box(b"mif1", b"heix") + b"\0" * 32, "UNSUPPORTED", "a HEIF picture")
    refused("picture.jp2", saved(rgb(), "JPEG2000"), "UNSUPPORTED", "a JPEG 2000 picture")
    refused("picture.jxl", b"\xff\x0a" + b"\0" * 20, "UNSUPPORTED", "a JPEG XL picture")
    refused("drawing.svg", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "UNSUPPORTED", "an SVG drawing")
    refused("document.pdf", b"%PDF-1.7\n", "UNSUPPORTED", "a PDF document")
    refused("icon.ico", saved(rgb(16, 16), "ICO"), "UNSUPPORTED", "an icon")
    refused("page.jpg", b"\n<!DOCTYPE html><html><body>404</body></html>", "NO_PICTURE", "an HTML page")
    refused(
        "pointer.png",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        "NO_PICTURE",
        "a pointer of Git LFS",
    )
    refused("netpbm.ppm", saved(rgb(), "PPM"), "UNSUPPORTED", "a Netpbm picture")
    refused("video.mp4", box(b"isom", b"mp42") + b"\0" * 32, "UNSUPPORTED", "a video")
    refused("archive.zip", b"PK\x03\x04" + b"\0" * 26, "UNSUPPORTED", "an archive")
    refused("empty.png", b"", "NO_PICTURE", "empty")
    refused("text.png", b"no picture at all", "UNSUPPORTED", "in no known format")


OUT.mkdir(parents=True, exist_ok=True)
for old in OUT.iterdir():
    old.unlink()
for group in (pngs, jpegs, webps, gifs, bmps, tiffs, others):
    group()
(OUT / "expected.json").write_text(
    "[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in ROWS) + "\n]\n"
)
print(len(ROWS), "files,", sum(f.stat().st_size for f in OUT.iterdir()), "bytes")
