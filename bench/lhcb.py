"""The queues that `match` is measured on: the LHCb queue snapshot of 2026-03-28.

From the snapshot (871 925 waiting jobs in 498 queues that were not empty): the size of each queue, its owner group,
its CPU work, and for each site how many queues name it. Simulation (`mc`, 269 queues) may run everywhere; what a site
has beyond those 269 are queues of the other groups, so these are given one to three sites each, drawn in proportion.

The snapshot holds neither memory, cores, tags nor inputs. A generator with a fixed seed makes them up:

- CPU work becomes wall time at 10 HS06 a core: 36 minutes to 30 hours;
- a queue wants 1 core (nine of ten) or 8; 2 GB a core (eight of ten), 3 GB or 4 GB;
- simulation wants `x86-64-v2` (the snapshot has it for nearly all of them) or nothing, one queue of twenty
  `x86-64-v3`; one queue of fifty of the others wants `gpu`;
- all queues of `data` and `mcproc` have inputs: one to ten files of 1 to 5 GB, all of them at the first of the
  queue's sites, and in every second queue at another site too.
"""

import random
from dataclasses import dataclass

GB = 1_000_000_000
HS06_PER_CORE = 10
SIMULATION_QUEUES = 269

SIZES = """
data 345600: 3409 3403
data 1080000: 4426 3999 3650 3600 3226 3221 3216 3181 3131 3024 3012 2880 2868 2867 2846 2814 2713 2515 2506 2451
  2437 2411 2411 2411 2411 2411 2410 2369 2202 2134 2091 2060 1960 1910 1864 1799 1741 1565 1536 1464 1460 1439 1436
  1435 1432 1428 1405 1380 1375 1346 1292 1274 1230 1218 1162 1071 1061 939 939 883 875 801 776 758 755 755 655 644
  610 603 592 591 581 557 543 542 530 487 481 472 472 467 454 448 446 444 422 388 385 385 373 371 331 320 311 298
  291 291 270 263 257 250 245 244 211 210 210 205 204 204 198 183 183 179 178 176 165 160 145 142 133 124 122 114
  109 109 104 102 93 93 80 74 71 65 63 57 55 52 50 49 48 48 48 48 46 45 43 43 41 41 41 40 40 39 38 37 37 29 25 24 23
  22 20 20 19 18 18 17 16 14 14 14 12 12 12 12 11 11 11 10 10 10 10 10 8 8 7 7 6 5 5 5 4 3 3 3 3 3 3 3 2 2 2 2 2 1 1
  1
mc 21600: 4174 4156 4152 4151 4149 4145 4143 4141 4140 4132 4127 4124 4123 4120 4113 4110 4110 4109 4095 4092 4089
  4073 4069 2655 2604 2583 2576 2544 2534 2527 2520 1195 1165 1149 1144 1141 1140 1131 1121 1105 1099
mc 43200: 2255 2242 2232
mc 86400: 2981 2969 2968 2963 2960 2960 2957 2954 2945 2941
mc 172800: 2617 2603 700 613 608 602 568 557 556 552 548 539 530 526 519 517 512 507 507 493 486 481 463 456 332 311
  303 293 266 258 254
mc 259200: 4966 4961 4960 4959 4958 4958 4956 4956 4954 4954 4953 4953 4952 4951 4949 4949 4948 4948 4948 4947 4947
  4947 4947 4946 4945 4944 4944 4944 4943 4941 4941 4941 4941 4940 4938 4937 4936 4936 4934 4934 4924 4923 4920 4278
  4255 4017 4016 4015 4013 4012 4009 4008 4008 4008 4007 4006 4005 4004 4004 2567 2556 2551 2546 2362 1952 1877 1867
  1836 1827 1821 1801 1800 1797 1795 1792 1777 1777 1774 1769 1767 1731 1724 1702 1699 1692 1691 1690 871
mc 345600: 4518 4499 4493 4486 2882 2881 2870 2868 2866 2862 2862 2859 2843 2840 2833 2830 2826 2824 2817 2816 2813
  2813 2811 2811 2810 2809 2806 2797 2797 2796 2795 2794 2789 2788 2787 2785 2778 2771 2754 2747 2740 2737 2732 2696
  1314 1313 1311 1307 1307 1306 1304 1303 1301 1298
mc 518400: 2478 2465 2464 2461 2461 2460 2456 2455 2448 2435
mc 691200: 586 539 501 491 488 484 481 464 461 459 456 449 448 448 440 431 427 420 414 413 410 400 399 391 391 389
  355
mc 864000: 4069 4038 4019 1071 1052
mcproc 172800: 490 232 136 79 62 5 5 2 2 1
user 86400: 7
user 1080000: 5 3 2 2 2 1 1 1
"""
"""Group, CPU work in HS06 seconds: jobs in each queue."""

SITES = """
LCG.CERN.cern:368 LCG.Beijing.cn:304 LCG.RAL.uk:301 LCG.GRIDKA.de:307 LCG.CNAF.it:299 LCG.NCBJ.pl:297
LCG.CSCS.ch:284 LCG.NIKHEF.nl:307 LCG.IN2P3.fr:297 LCG.PIC.es:292 LCG.SARA.nl:297 LCG.GRIF.fr:279 LCG.RAL-HEP.uk:279
LCG.UKI-LT2-IC-HEP.uk:278 LCG.UKI-LT2-QMUL.uk:281 LCG.CPPM.fr:278 LCG.DESYHH.de:278 LCG.LZU.cn:280
LCG.NIPNE-07.ro:277 LCG.Liverpool.uk:276 LCG.Manchester.uk:273 DIRAC.HLTFarm.lhcb:270 LCG.Milano.it:269
LCG.LPC.fr:269 LCG.Oxford.uk:269 LCG.MIT.us:269 LCG.NCBJ-CIS.pl:269 LCG.WEIZMANN.il:269 LCG.PSNC.pl:269
LCG.Sheffield.uk:269 LCG.TAU.il:269 LCG.Trieste.it:269 LCG.UKI-LT2-Brunel.uk:269 LCG.UKI-LT2-RHUL.uk:269
CLOUD.CERN.cern:269 LCG.CBPF.br:269 DIRAC.Barcelona.es:269 DIRAC.CINECAM100.it:269 DIRAC.Exploratory.cn:269
DIRAC.Kabre.cr:269 DIRAC.MareNostrum.es:269 DIRAC.Monash.au:269 DIRAC.UZH.ch:269 DIRAC.Vega.si:269 LCG.BEER.cern:269
LCG.Birmingham.uk:269 LCG.Bristol.uk:269 LCG.Legnaro.it:269 LCG.CESNET.cz:269 LCG.CHTC.us:269 LCG.Durham.uk:269
LCG.Frascati.it:269 LCG.Glasgow.uk:269 LCG.Haifa.il:269 LCG.JINR.ru:269 LCG.Krakow.pl:269 LCG.Lancaster.uk:269
LCG.LAPP.fr:269 LCG.ECDF.uk:268 DIRAC.Snellius.nl:255
"""
"""Site: queues that may run there."""


@dataclass(frozen=True, kw_only=True)
class WaitingQueue:
    """One task queue: what its jobs need, how many wait, and its inputs as sizes with the sites that have them."""

    group: str
    jobs: int
    walltime: float
    cores: int
    memory: int
    tags: tuple[str, ...]
    sites: tuple[str, ...]
    """Empty: any."""
    files: tuple[int, ...] = ()
    stored_at: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PilotOffer:
    """What a pilot at a site has: a whole node of eight cores, or one of them."""

    site: str
    cores: int
    memory: int
    walltime: int
    tags: tuple[str, ...]


def sites() -> dict[str, int]:
    """Sites of the snapshot, each with the number of queues that may run there."""
    return {name: int(queues) for name, _, queues in (word.rpartition(":") for word in SITES.split())}


def counts() -> list[tuple[str, int, int]]:
    """Every queue of the snapshot as (group, CPU work, jobs)."""
    found: list[tuple[str, int, int]] = []
    group, work = "", 0
    words = iter(SIZES.split())
    for word in words:
        if word.isalpha():
            group, work = word, int(next(words).removesuffix(":"))
        else:
            found.append((group, work, int(word)))
    return found


def queues(jobs: int, *, seed: int = 20260328) -> list[WaitingQueue]:
    """The snapshot, scaled to about so many jobs: every queue keeps its share, and one job at least."""
    draw = random.Random(seed)
    known = counts()
    scale = jobs / sum(n for *_, n in known)
    extra = {name: n - SIMULATION_QUEUES for name, n in sites().items() if n > SIMULATION_QUEUES}
    return [_queue(draw, group, work, max(1, round(n * scale)), extra) for group, work, n in known]


def _queue(draw: random.Random, group: str, work: int, jobs: int, extra: dict[str, int]) -> WaitingQueue:
    cores = draw.choices((1, 8), (9, 1))[0]
    memory = draw.choices((2, 3, 4), (8, 1, 1))[0] * GB * cores
    walltime = work / HS06_PER_CORE
    if group == "mc":
        tags = draw.choices(((), ("x86-64-v2",), ("x86-64-v3",)), (8, 11, 1))[0]
        return WaitingQueue(
            group=group, jobs=jobs, walltime=walltime, cores=cores, memory=memory, tags=tags, sites=tuple(sites())
        )
    tags = draw.choices((("x86-64-v2",), ("gpu",)), (49, 1))[0]
    named = tuple(dict.fromkeys(draw.choices(list(extra), list(extra.values()), k=draw.choice((1, 2, 3)))))
    if group == "user":
        return WaitingQueue(
            group=group, jobs=jobs, walltime=walltime, cores=cores, memory=memory, tags=tags, sites=()
        )  # fmt: skip
    files = tuple(draw.randint(1 * GB, 5 * GB) for _ in range(draw.randint(1, 10)))
    second = draw.choice([site for site in extra if site != named[0]])
    return WaitingQueue(
        group=group, jobs=jobs, walltime=walltime, cores=cores, memory=memory, tags=tags, sites=named, files=files,
        stored_at=(named[0], second) if draw.random() < 0.5 else (named[0],),
    )  # fmt: skip


def offers(number: int, *, seed: int = 1) -> list[PilotOffer]:
    """Pilots, at sites in proportion to the queues that may run there."""
    draw = random.Random(seed)
    known = sites()
    made: list[PilotOffer] = []
    for site in draw.choices(list(known), list(known.values()), k=number):
        cores = draw.choices((1, 8), (3, 1))[0]
        tags = draw.choices((("x86-64-v2",), ("x86-64-v2", "x86-64-v3"), ("gpu", "x86-64-v2", "x86-64-v3")), (5, 4, 1))
        made.append(
            PilotOffer(
                site=site, cores=cores, memory=cores * draw.choice((2, 3, 4)) * GB, walltime=draw.choice((12, 24, 48)) * 3600,
                tags=tags[0],
            )
        )  # fmt: skip
    return made
