/**
 * What the page of Sancho and an extension of it say to each other, version 1.
 *
 * An extension is shown in a frame without an origin: it has no session, no storage and no network. What it needs of
 * the API it asks of the page, which reads it as who is logged in, from the paths that `extension.json` declares.
 *
 *     import { connect } from "/ui/extensions/host-1.js";
 *     const host = await connect();
 *     const job = await host.get(`/v1/jobs/${host.subject.job_id}`);
 */

/** Where an extension is shown: a page of its own, or a panel on that of a job or a DID. */
export type Place = "page" | "job" | "did";

/** What a panel is about; nothing on a page. */
export type Subject = { job_id: number } | { did: string } | null;

/** How the page looks: its colours as CSS values, for light and dark, by the names of its custom properties. */
export type Look = { scheme: "light" | "dark"; colours: Record<string, string> };

/** What the page says first. */
export type Hello = { sancho: 1; vo: string; account: string; place: Place; subject: Subject; look: Look };

/** Values of a query; several of one name are sent one after the other. */
export type Query = Record<string, string | number | boolean | Array<string | number>>;

/** What an extension may ask of the page. */
export type Call =
  | { id: number; call: "get"; path: string; query?: Query }
  | { id: number; call: "open"; to: string }
  | { id: number; call: "height"; pixels: number };

/** Why something was not done; `code` is what programs look at. */
export type Refusal = { status: number; code: string; message: string };

/** What the page says afterwards: an answer to a call, or that it looks otherwise now. */
export type Said =
  | { id: number; ok: true; value: unknown }
  | { id: number; ok: false; problem: Refusal }
  | { look: Look };

/** Something that the page or the API refused. `code` is `not_declared`, `too_many`, or the API's own. */
export declare class Refused extends Error {
  readonly status: number;
  readonly code: string;
}

/** The page, as its extension has it. */
export interface Host {
  readonly vo: string;
  readonly account: string;
  readonly place: Place;
  readonly subject: Subject;
  readonly look: Look;
  /** Read from the API. At most 30 at once and 10 a second, 4 of them under way, 1 MB each; raises `Refused`. */
  get(path: string, query?: Query): Promise<unknown>;
  /** Show a page of Sancho, such as `/jobs/17`, after a click or a key in the extension; raises `Refused`. */
  open(to: string): Promise<void>;
  /** Be as high as this. Without a call the frame is as high as the document, 2000 pixels at most. */
  height(pixels: number): void;
  /** Be told when somebody changes the colours; the document's own have changed by then. */
  onLook(listener: (look: Look) => void): void;
}

/** Meet the page. Call it once, as soon as the document is there. */
export declare function connect(): Promise<Host>;
