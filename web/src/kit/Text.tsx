import { shown } from "./text";

/** What a stranger has named or said: kept from turning round, or flooding, what stands beside it. */
export function Text({ children, longest = 400 }: { children: string; longest?: number }) {
  return (
    <bdi title={children.length > longest ? shown(children, 4000) : undefined}>
      {shown(children, longest)}
    </bdi>
  );
}
