/** The checksum of files in the catalogue, Adler-32 (RFC 1950), of a file of any size: read piece by piece. */
const BASE = 65_521;
/** So many bytes can be summed before the sums are over 32 bits. */
const MOST = 5_552;

export const START = 1;

/** The checksum of what came before and a piece more. */
export function added(before: number, piece: Uint8Array): number {
  let low = before & 0xffff;
  let high = before >>> 16;
  for (let start = 0; start < piece.length; start += MOST) {
    const end = Math.min(start + MOST, piece.length);
    for (let n = start; n < end; n += 1) {
      low += piece[n] ?? 0;
      high += low;
    }
    low %= BASE;
    high %= BASE;
  }
  return ((high << 16) | low) >>> 0;
}

/** As the catalogue writes it: 8 hex digits. */
export const inHex = (sum: number): string => sum.toString(16).padStart(8, "0");

/** The checksum of a file; `onRead` hears how many bytes have been read. An aborted signal ends it. */
export async function checksum(
  file: Blob,
  onRead: (bytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const reader = file.stream().getReader();
  let sum = START;
  let read = 0;
  for (;;) {
    signal.throwIfAborted();
    const { done, value } = await reader.read();
    if (done) return inHex(sum);
    sum = added(sum, value);
    read += value.length;
    onRead(read);
  }
}
