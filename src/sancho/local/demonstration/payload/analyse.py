"""Find what decayed into muon pairs: compute their masses, count the peaks, draw the spectrum.

    python3 analyse.py OUTPUT.png [TITLE]

The environment variable SANCHO_INPUTS names a JSON file that lists the inputs of the job, each with the path at which
the pilot has put it.
"""

import json
import os
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import uproot

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

Array = np.ndarray
MUON_MASS = 0.105658
EDGES = np.geomspace(2, 120, 401)
# Mass, the half width of the window in which a peak is counted (the bands beside it, half as wide each, tell what
# lies below it), and its name in the picture.
PEAKS = {
    "J/psi": (3.0969, 0.20, r"$J/\psi$"),
    "psi(2S)": (3.6861, 0.16, r"$\psi$(2S)"),
    "Upsilon(1S)": (9.4603, 0.28, r"$\Upsilon$(1S, 2S, 3S)"),
    "Z": (91.1876, 9.0, "$Z$"),
}
BLUE, INK, PAPER = "#2f6690", "#16425b", "#fbfcfd"


def masses(path: str) -> Array:
    """Compute the masses of the pairs of opposite charge in one file."""
    with uproot.open(path) as file:
        pairs = file["events"].arrays(library="np")
    muons = [[pairs[f"muon{i}_p{axis}"].astype(float) for axis in "xyz"] for i in (1, 2)]
    energy = sum(np.sqrt(MUON_MASS**2 + px**2 + py**2 + pz**2) for px, py, pz in muons)
    momentum = sum((one + two) ** 2 for one, two in zip(*muons, strict=True))
    mass = np.sqrt(np.maximum(energy**2 - momentum, 0))
    return mass[pairs["muon1_charge"] * pairs["muon2_charge"] < 0]


def count(mass: Array, centre: float, half: float) -> tuple[float, float]:
    """Count the pairs of a peak: those in its window less what the bands beside it lead one to expect there."""
    inside = np.count_nonzero(abs(mass - centre) < half)
    beside = np.count_nonzero((abs(mass - centre) >= half) & (abs(mass - centre) < 1.5 * half))
    return inside - 2 * beside, np.sqrt(inside + 4 * beside)


def draw(mass: Array, files: int, title: str, output: str) -> None:
    """Draw the spectrum, both axes logarithmic, with an inset that shows the three Upsilons apart."""
    plt.rcParams.update({"font.size": 12, "axes.edgecolor": INK, "axes.linewidth": 1.1, "text.color": INK})
    plt.rcParams.update({"axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "mathtext.fontset": "cm"})
    counts, _ = np.histogram(mass, EDGES)
    density = counts / np.diff(EDGES)
    figure, axes = plt.subplots(figsize=(11, 7), dpi=130, facecolor=PAPER)
    axes.set(facecolor=PAPER, xscale="log", yscale="log", xlim=(EDGES[0], EDGES[-1]))
    lowest, highest = density[density > 0].min(), density.max()
    axes.set_ylim(lowest / 2, highest * 12)
    axes.stairs(density, EDGES, fill=True, baseline=lowest / 2, color=BLUE, alpha=0.16)
    axes.stairs(density, EDGES, baseline=None, color=BLUE, linewidth=1.5)
    for centre, _, name in PEAKS.values():
        top = density[(EDGES[:-1] < centre * 1.02) & (EDGES[1:] > centre * 0.98)].max()
        axes.annotate(
            name, (centre, top * 1.15), (centre * 1.03, top * 3.4), ha="center", fontsize=16,
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.8},
        )  # fmt: skip
    axes.set_xlabel(r"invariant mass of the muon pair, $m_{\mu^+\mu^-}$  [GeV]")
    axes.set_ylabel("pairs per GeV")
    ticks = [2, 3, 5, 10, 20, 50, 100]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.tick_params(direction="in", length=7, top=True, right=True)
    axes.grid(color=INK, alpha=0.08)
    axes.set_title(title, loc="left", fontsize=16, fontweight="bold", pad=12)
    pairs = f"{len(mass):,}".replace(",", "\N{THIN SPACE}")
    axes.set_title(f"{pairs} pairs of opposite charge from {files} files", loc="right", fontsize=11)
    zoom(axes, mass)
    figure.savefig(output, bbox_inches="tight")


def zoom(axes: Axes, mass: Array) -> None:
    """Draw the region of the Upsilons once more, linearly."""
    inset = axes.inset_axes((0.53, 0.58, 0.36, 0.36), facecolor=PAPER)
    counts, edges = np.histogram(mass, 80, (8.8, 11.2))
    middles = (edges[:-1] + edges[1:]) / 2
    inset.errorbar(middles, counts, np.sqrt(counts), fmt="o", markersize=2.6, linewidth=0.9, color=BLUE)
    inset.set(xlim=(8.8, 11.2), ylim=(0, counts.max() * 1.3))
    inset.tick_params(direction="in", labelsize=9)
    inset.set_title("pairs per 30 MeV", loc="left", fontsize=9, pad=4)
    for name, centre in (("1S", 9.4603), ("2S", 10.0233), ("3S", 10.3552)):
        top = counts[abs(middles - centre) < 0.09].max()
        inset.annotate(rf"$\Upsilon$({name})", (centre, top + counts.max() * 0.08), ha="center", fontsize=11)


def main(output: str, title: str = "Muon pairs") -> None:
    """Analyse all inputs of the job."""
    inputs = json.loads(Path(os.environ["SANCHO_INPUTS"]).read_text(encoding="utf-8"))
    mass = np.concatenate([masses(one["path"]) for one in inputs])
    print(f"{len(mass)} pairs of opposite charge in {len(inputs)} files.")
    for name, (centre, half, _) in PEAKS.items():
        number, error = count(mass, centre, half)
        print(f"{name:>12} at {centre:7.3f} GeV: {number:8.0f} ± {error:.0f}")
    draw(mass, len(inputs), title, output)
    print(f"Drew {output}.")


if __name__ == "__main__":
    main(*sys.argv[1:])
