"""Makes test/golden/salient-relevance: the Salient Relevance step of a real relevance map of 56x56 pixels, in float64, every
patch compared with every other. Needs numpy, scipy and safetensors. Run from the project's root:

    python test/reference/make-salient-relevance.py ../shared/reference/salient-relevance          writes the goldens
    python test/reference/make-salient-relevance.py ../shared/reference/salient-relevance --check  compares with the maps there

The relevance maps are those of that folder (SqueezeNet 1.0, a tiger), each 4x4 pixels averaged. Written from the formulas (Li et
al. 2019, Goferman et al. 2010) and from nothing else; --check shows that it gives what the folder's own, third implementation
gave at 224x224. The tests need the stored files alone.
"""

import hashlib
import json
import pathlib
import platform
import sys

import numpy as np
import scipy
from safetensors.numpy import save_file
from scipy.ndimage import distance_transform_edt
from scipy.spatial.distance import cdist

GOLDEN = pathlib.Path(__file__).parent.parent / "golden/salient-relevance"
PATCH, STRIDE, NEIGHBOURS, POSITION_WEIGHT = 7, 3, 64, 3
SCALES, SUB_SCALES, MINIMUM_SCALE, FOCI = (1, 0.8, 0.5, 0.3), (1, 0.5, 0.25), 0.2, 0.8
PHOTO, FACTOR, WORK_SIZE = "n02129604_tiger", 4, 84  # the smallest grid has 9x9 patches, more than the neighbours asked for


def unit(x):
    """Minimum to 0, maximum to 1."""
    low, high = x.min(), x.max()
    return (x - low) / (high - low) if high > low else np.zeros_like(x)


def filter_matrix(n, m):
    """Rows: the triangle filter of each of m outputs over n inputs, wider where the image shrinks, renormalised at the border."""
    s = n / m
    u = (np.arange(m) + 0.5) * s - 0.5
    w = np.maximum(0, 1 - np.abs(np.arange(n)[None] - u[:, None]) / max(1, s))
    return w / w.sum(1, keepdims=True)


def resize(image, h, w):
    """[H,W,C] -> [h,w,C]."""
    return np.einsum("yi,xj,ijc->yxc", filter_matrix(image.shape[0], h), filter_matrix(image.shape[1], w), image, optimize=True)


def heat_image(relevance):
    a = np.abs(relevance.astype(np.float64))
    return np.trunc(255 * (a - a.min()) / (a.max() - a.min())).astype(np.uint8)


def cielab(rgb):
    v = rgb / 255
    linear = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    t = linear @ np.array(to_xyz).T / [0.95047, 1, 1.08883]
    x, y, z = np.moveaxis(np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def feature_image(relevance, feature):
    if feature == "gray":
        return unit(np.abs(relevance.astype(np.float64)).sum(-1))[..., None]
    lab = cielab(heat_image(relevance).astype(np.float64))
    return np.stack([unit(lab[..., k]) for k in range(3)], -1)


def patches(work, factor):
    """Patches [n, PATCH*PATCH*C] of the feature image at a size, their centres relative to the larger side, the grid's shape."""
    height, width = work.shape[:2]
    h, w = (max(PATCH, int(np.floor(side * factor + 0.5))) for side in (height, width))
    r = PATCH // 2
    padded = np.pad(resize(work, h, w), ((r, r), (r, r), (0, 0)), "symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (PATCH, PATCH), (0, 1))[::STRIDE, ::STRIDE]
    rows, columns = windows.shape[:2]
    y = (np.arange(rows) * STRIDE + 0.5) * height / h / max(height, width)
    x = (np.arange(columns) * STRIDE + 0.5) * width / w / max(height, width)
    centres = np.stack(np.meshgrid(y, x, indexing="ij"), -1).reshape(-1, 2)
    return windows.reshape(rows * columns, -1), centres, y, x


def grid_of(work, scale):
    """1 - exp(-mean of the smallest distances) of every query patch."""
    queries, positions, y, x = patches(work, scale)
    others = [patches(work, scale * s)[:2] for s in SUB_SCALES if s != 1 and scale * s >= MINIMUM_SCALE - 1e-9]
    candidates = np.concatenate([queries] + [values for values, _ in others])
    places = np.concatenate([positions] + [centres for _, centres in others])
    result = np.empty(len(queries))
    for begin in range(0, len(queries), 256):
        part = slice(begin, min(begin + 256, len(queries)))
        d = cdist(queries[part], candidates) / (1 + POSITION_WEIGHT * cdist(positions[part], places))
        d[np.arange(part.stop - begin), np.arange(begin, part.stop)] = np.inf  # itself
        result[part] = 1 - np.exp(-np.sort(np.partition(d, NEIGHBOURS, 1)[:, :NEIGHBOURS], 1).mean(1))
    return result.reshape(len(y), len(x)), y, x


def interpolate(grid, y, x, h, w):
    """Bilinear between the centres, constant beyond the outermost."""
    length = max(h, w)
    along_x = np.stack([np.interp(np.arange(w), x * length - 0.5, row) for row in grid])
    return np.stack([np.interp(np.arange(h), y * length - 0.5, column) for column in along_x.T], 1)


def attend(scale_map):
    foci = scale_map > FOCI
    if not foci.any() or foci.all():
        return scale_map
    distance = distance_transform_edt(~foci)
    return scale_map * (1 - distance / distance.max())


def salient_relevance(relevance, feature, work_size):
    """[H,W,C] -> the un-normalised grids, the mean map, the map at work size, the map at the size of the relevance map."""
    height, width = relevance.shape[:2]
    h, w = (int(np.floor(side * work_size / max(height, width) + 0.5)) for side in (height, width))
    work = resize(feature_image(relevance, feature), h, w)
    grids, maps = [], []
    for scale in SCALES:
        grid, y, x = grid_of(work, scale)
        grids.append(grid)
        maps.append(unit(interpolate(grid, y, x, h, w)))
    work_map = np.mean([attend(each) for each in maps], 0)
    return grids, np.mean(maps, 0), work_map, resize(work_map[..., None], height, width)[..., 0]


def check(folder):
    for photo in ("n02129604_tiger", "n11939491_daisy"):
        for rule in ("lrp0", "zp"):
            relevance = np.load(folder / f"{photo}_R_{rule}.npy")
            assert (heat_image(relevance) == np.load(folder / f"{photo}_heat_{rule}.npy")).all()
            for feature in ("lab", "gray"):
                stored = lambda what, end: np.load(folder / f"{photo}_{what}_{rule}_{feature}.{end}")  # noqa: B023, E731
                grids, mean_map, work_map, final = salient_relevance(relevance, feature, 250)
                scales = stored("SRscales", "npz")
                differences = [float(np.abs(grid - scales[f"grid{i}"]).max()) for i, grid in enumerate(grids)]
                for got, what in ((mean_map, "SRraw"), (work_map, "SR"), (final, "SR224")):
                    differences.append(float(np.abs(got - stored(what, "npy")).max()))
                print(photo, rule, feature, " ".join(f"{d:.1e}" for d in differences), flush=True)


def write(folder):
    arrays, heat = {}, {}
    for rule in ("lrp0", "zp"):
        full = np.load(folder / f"{PHOTO}_R_{rule}.npy").astype(np.float64)
        side = full.shape[0] // FACTOR
        relevance = full.reshape(side, FACTOR, side, FACTOR, 3).mean((1, 3)).astype(np.float32)
        arrays[f"{rule} relevance"] = np.moveaxis(relevance, -1, 0)
        heat[rule] = hashlib.sha256(np.ascontiguousarray(heat_image(relevance)).tobytes()).hexdigest()
        for feature in ("lab", "gray"):
            grids, _, work_map, final = salient_relevance(relevance, feature, WORK_SIZE)
            arrays |= {f"{rule} {feature} grid{i}": grid for i, grid in enumerate(grids)}
            arrays |= {f"{rule} {feature} workMap": work_map, f"{rule} {feature} map": final}
    GOLDEN.mkdir(parents=True, exist_ok=True)
    stored = {key: np.ascontiguousarray(value, dtype=np.float32) for key, value in arrays.items()}
    save_file(stored, GOLDEN / "maps.safetensors")
    versions = {"numpy": np.__version__, "scipy": scipy.__version__, "python": platform.python_version()}
    manifest = {
        "what": f"The Salient Relevance step of two relevance maps of SqueezeNet 1.0 of one photo, averaged to {side}x{side}: the "
        "un-normalised grids of the four scales, the map at work size, the map. sha256OfHeat: of the heat image, RGB bytes [H,W,3].",
        "producer": "test/reference/make-salient-relevance.py",
        "versions": versions,
        "precision": "computed in float64, stored in float32",
        "options": {"workSize": WORK_SIZE},
        "tolerance": "1e-6 on grids (float32 storage rounds by 6e-8; the engine's features are float32), 1e-5 on maps, as at 224x224",
        "sha256OfHeat": heat,
    }
    (GOLDEN / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    (check if sys.argv[2:] == ["--check"] else write)(pathlib.Path(sys.argv[1]))
