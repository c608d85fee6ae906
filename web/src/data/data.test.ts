import { describe, expect, it } from "vitest";
import { added, checksum, inHex, START } from "./adler32";
import { have, rsesOf } from "./matrix";
import { didFor, fitName } from "./names";
import { crumbs, folderOf } from "./paths";
import { partsOf } from "./progress";
import { didQuery, readDidSearch, withChip } from "./search";
import { firstLines } from "./stream";
import { inTurns, isThere } from "./turns";
import { bodyOf, NO_WISH } from "./wish";

describe("a search for data", () => {
  it("reads of a URL what it knows, and nothing else", () => {
    const said = {
      where: " run > 1 ",
      kind: "planet",
      said: ["detector=ecl", "nonsense", 7],
      inherit: "yes",
      scope: 42,
    };
    expect(readDidSearch(said)).toEqual({ where: "run > 1", said: ["detector=ecl"], scope: "42" });
  });

  it("is for what was made last, as long as nothing is looked for", () => {
    expect(didQuery({})).toEqual({ newest: true });
    expect(didQuery({ kind: "dataset" })).toEqual({ kind: "dataset", newest: true });
    expect(didQuery({ prefix: "run 1" })).toEqual({ where: 'name like "run 1*"' });
    expect(didQuery({ scope: "mc", prefix: "run" })).toEqual({ scope: "mc", prefix: "run" });
  });

  it("joins chips with what was written, which stands in parentheses", () => {
    const search = withChip(withChip({ where: "a = 1 | b = 2" }, "detector=e c l"), "stream=raw");
    expect(didQuery(search).where).toBe('detector = "e c l" & stream = raw & (a = 1 | b = 2)');
    expect(withChip(search, "stream=raw").said).toEqual(["detector=e c l"]);
  });
});

it("a path leads down from its VO", () => {
  expect(crumbs("/belle/mc/a/")).toEqual([
    { name: "belle", path: "/belle/" },
    { name: "mc", path: "/belle/mc/" },
    { name: "a", path: "/belle/mc/a/" },
  ]);
  expect(folderOf("belle", "mc:run/a.root")).toBe("/belle/mc/run/");
  expect(folderOf("belle", "mc:a.root")).toBe("/belle/mc/");
});

describe("the checksum", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  it("is Adler-32, however a file is cut", async () => {
    expect(inHex(added(START, bytes("Wikipedia")))).toBe("11e60398");
    expect(inHex(START)).toBe("00000001");
    const half = added(START, bytes("Wiki"));
    expect(inHex(added(half, bytes("pedia")))).toBe("11e60398");
    const read: number[] = [];
    const never = new AbortController().signal;
    expect(await checksum(new Blob(["Wiki", "pedia"]), (n) => read.push(n), never)).toBe("11e60398");
    expect(read.at(-1)).toBe(9);
  });

  it("holds for more than fits into 32 bits", () => {
    // As zlib says: adler32(b"\xff" * 1000000)
    expect(inHex(added(START, new Uint8Array(1_000_000).fill(255)))).toBe("3843e1be");
  });

  it("ends when it is told to", async () => {
    await expect(checksum(new Blob(["x"]), () => {}, AbortSignal.abort())).rejects.toThrow();
  });
});

it("files get names that the catalogue takes, and none leads out of its folder", () => {
  expect(fitName("my plot (1).png")).toBe("my_plot_1_.png");
  expect(fitName("<img src=x>\u202e.txt")).toBe("img_src_x_.txt");
  expect(fitName("..")).toBe("file");
  expect(didFor("user.al", "/a/../b/", "x y.root")).toBe("user.al:a/b/x_y.root");
  expect(didFor("user.al", "", "x.root")).toBe("user.al:x.root");
});

it("lines are read as far as they are wanted", async () => {
  const body = () => new Blob(['{"a":1}\n{"a', '":2}\n{"a":3}']).stream();
  expect(await firstLines(body(), 2)).toEqual({ items: ['{"a":1}', '{"a":2}'], more: true });
  expect(await firstLines(body(), 3)).toEqual({ items: ['{"a":1}', '{"a":2}', '{"a":3}'], more: false });
});

it("the matrix has the RSEs with the most files first", () => {
  const at = (...rses: string[]) => ({ copies: rses.map((rse) => ({ rse, state: "available" })) });
  const files = [at("B", "A"), at("B"), at("C", "B")];
  expect(rsesOf(files)).toEqual(["B", "A", "C"]);
  expect(have(files, "B")).toBe(3);
});

it("a bar shows whatever there is, and is whole", () => {
  expect(partsOf({ ok: 0, replicating: 0, stuck: 0 })).toEqual([]);
  expect(partsOf({ ok: 99_999, replicating: 0, stuck: 1 }).map((one) => one.share)).toEqual([99, 1]);
  expect(partsOf({ ok: 1, replicating: 1, stuck: 1 }).reduce((sum, one) => sum + one.share, 0)).toBe(100);
});

it("a wish is a rule once it says where, and how many", () => {
  expect(bodyOf("mc:a", NO_WISH)).toBeUndefined();
  expect(bodyOf("mc:a", { ...NO_WISH, expression: "*", copies: "1.5" })).toBeUndefined();
  expect(bodyOf("mc:a", { ...NO_WISH, expression: " tier=1 ", copies: "2" })).toMatchObject({
    rse_expression: "tier=1",
    copies: 2,
    lifetime: null,
    comment: null,
  });
});

describe("what is done in turns", () => {
  const never = (signal: AbortSignal) =>
    new Promise<void>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });

  it("does not begin once it is to end, whenever that was said", async () => {
    const begun: number[] = [];
    const stop = new AbortController();
    stop.abort("enough");
    await expect(inTurns([1, 2], 2, async (one) => void begun.push(one), stop.signal)).rejects.toBe("enough");
    const late = new AbortController();
    const act = async (one: number) => {
      begun.push(one);
      late.abort("late");
    };
    await expect(inTurns([1, 2], 1, act, late.signal)).rejects.toBe("late");
    const last = new AbortController();
    await expect(inTurns([1], 1, async () => last.abort("last"), last.signal)).rejects.toBe("last");
    expect(begun).toEqual([1]);
  });

  it("ends what is under way when one fails, before it says so", async () => {
    const ended: number[] = [];
    const act = async (one: number, _: number, signal: AbortSignal) => {
      if (one === 2) throw new Error("full");
      await never(signal).finally(() => ended.push(one));
    };
    await expect(inTurns([1, 2, 3, 4], 3, act, new AbortController().signal)).rejects.toThrow("full");
    expect(ended).toEqual([1, 3]);
  });
});

it("a file that is there already was put by an earlier try, if there was one", () => {
  expect([201, 204].map((status) => isThere(status, false))).toEqual([true, true]);
  expect([0, 403, 409, 412, 507].map((status) => isThere(status, false))).toEqual(Array(5).fill(false));
  expect([403, 409, 412].map((status) => isThere(status, true))).toEqual([true, true, true]);
  expect([0, 401, 413, 500].map((status) => isThere(status, true))).toEqual(Array(4).fill(false));
});
