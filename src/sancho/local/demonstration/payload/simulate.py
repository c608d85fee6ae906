"""Simulate collisions in which two muons are born, and write them to a ROOT file.

    python3 simulate.py NUMBER OUTPUT [EVENTS]

A pair of muons comes from one of the resonances below or from the continuum. Each pair is given a momentum, decays
in its rest frame, is boosted into the laboratory, and the tracker measures its muons with a finite resolution. What
is written is what a detector would see: the momenta and charges of two muons. The mass is for the analysis to find.

The same number gives the same events.
"""

import sys

import numpy as np
import uproot
from numpy.random import Generator

Array = np.ndarray

MUON_MASS = 0.105658
LIGHTEST, HEAVIEST = 1.8, 140.0
# What decays into muon pairs: mass and width in GeV, share of all events.
RESONANCES = {
    "J/psi": (3.0969, 0.0, 0.150),
    "psi(2S)": (3.6861, 0.0, 0.010),
    "Upsilon(1S)": (9.4603, 0.0, 0.075),
    "Upsilon(2S)": (10.0233, 0.0, 0.024),
    "Upsilon(3S)": (10.3552, 0.0, 0.014),
    "Z": (91.1876, 2.4952, 0.095),
}
# The continuum falls as powers of the mass: decays of heavy quarks steeply, Drell-Yan pairs less so.
CONTINUUM = {"heavy quarks": (2.9, 0.70), "Drell-Yan": (1.9, 0.30)}
LIKE_CHARGED = 0.12  # of the continuum: two muons that have nothing to do with each other


def power_law(rng: Generator, events: int, power: float) -> Array:
    """Draw masses that fall as mass**-power."""
    low, high = LIGHTEST ** (1 - power), HEAVIEST ** (1 - power)
    return (low + (high - low) * rng.random(events)) ** (1 / (1 - power))


def breit_wigner(rng: Generator, events: int, mass: float, width: float) -> Array:
    """Draw masses around a resonance, cut off where the simulation ends."""
    low, high = np.arctan([2 * (LIGHTEST - mass) / width, 2 * (HEAVIEST - mass) / width])
    return mass + width / 2 * np.tan(rng.uniform(low, high, events))


def masses(rng: Generator, events: int) -> tuple[Array, Array]:
    """Draw the true masses of the pairs, and whether each is of the continuum."""
    shares = [share for *_, share in RESONANCES.values()]
    counts = rng.multinomial(events, [*shares, 1 - sum(shares)])
    drawn = [
        breit_wigner(rng, count, mass, width) if width else np.full(count, mass)
        for count, (mass, width, _) in zip(counts, RESONANCES.values(), strict=False)
    ]
    steep = rng.binomial(counts[-1], CONTINUUM["heavy quarks"][1])
    drawn.append(power_law(rng, steep, CONTINUUM["heavy quarks"][0]))
    drawn.append(power_law(rng, counts[-1] - steep, CONTINUUM["Drell-Yan"][0]))
    order = rng.permutation(events)
    return np.concatenate(drawn)[order], (np.arange(events) >= events - counts[-1])[order]


def boost(momentum: Array, energy: Array, frame: Array, frame_mass: Array) -> Array:
    """Boost momenta from the rest frame of a pair to the frame in which the pair has momentum `frame`."""
    frame_energy = np.sqrt(frame_mass**2 + (frame**2).sum(axis=0))
    along = (momentum * frame).sum(axis=0)
    return momentum + frame * (along / (frame_energy + frame_mass) + energy) / frame_mass


def decay(rng: Generator, mass: Array) -> tuple[Array, Array]:
    """Let pairs fly and decay evenly into all directions; return the momenta of both muons."""
    events = len(mass)
    transverse = rng.gamma(2.0, 1.5 + 0.07 * mass)
    azimuth = rng.uniform(-np.pi, np.pi, events)
    longitudinal = np.sqrt(mass**2 + transverse**2) * np.sinh(rng.normal(0.0, 1.2, events))
    pair = np.stack([transverse * np.cos(azimuth), transverse * np.sin(azimuth), longitudinal])
    cosine, turn = rng.uniform(-1, 1, events), rng.uniform(-np.pi, np.pi, events)
    sine = np.sqrt(1 - cosine**2)
    momentum = np.sqrt(mass**2 / 4 - MUON_MASS**2) * np.stack([sine * np.cos(turn), sine * np.sin(turn), cosine])
    return boost(momentum, mass / 2, pair, mass), boost(-momentum, mass / 2, pair, mass)


def measure(rng: Generator, momentum: Array) -> Array:
    """Measure momenta: worse at small angles to the beam, and worse for straight tracks."""
    transverse = np.hypot(momentum[0], momentum[1])
    slope = np.abs(np.arcsinh(momentum[2] / transverse))
    resolution = 0.006 + 0.002 * np.minimum(slope, 3.0) ** 2 + 1e-4 * transverse
    return momentum * (1 + rng.normal(0.0, 1.0, len(transverse)) * resolution)


def main(number: str, output: str, events: str = "50_000") -> None:
    """Simulate the events of one number."""
    rng = np.random.default_rng(int(number))
    mass, continuum = masses(rng, int(events))
    first, second = (measure(rng, muon) for muon in decay(rng, mass))
    charge = rng.choice([-1, 1], len(mass))
    alike = continuum & (rng.random(len(mass)) < LIKE_CHARGED)
    columns = {"event": np.arange(len(mass), dtype=np.int64)}
    for name, momentum, charges in (("muon1", first, charge), ("muon2", second, np.where(alike, charge, -charge))):
        columns |= {f"{name}_p{axis}": one.astype(np.float32) for axis, one in zip("xyz", momentum, strict=True)}
        columns[f"{name}_charge"] = charges.astype(np.int8)
    with uproot.recreate(output) as file:
        tree = file.mktree("events", {name: column.dtype for name, column in columns.items()})
        tree.extend(columns)
    print(f"Simulated {len(mass)} events, number {number}, into {output}.")


if __name__ == "__main__":
    main(*sys.argv[1:])
