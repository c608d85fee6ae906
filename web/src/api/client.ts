import createClient, { type Middleware } from "openapi-fetch";
import { accessToken, renewed } from "../session/session";
import { asProblem, Problem, problemOf } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** Fetch with the session's token; a token that has ended is renewed once, and the request sent again. */
export async function authorized(request: Request): Promise<Response> {
  const again = request.clone();
  const first = await fetch(bearing(request, await accessToken()));
  if (first.status !== 401) return first;
  const token = await renewed();
  return token === undefined ? first : fetch(bearing(again, token));
}

function bearing(request: Request, token: string | undefined): Request {
  if (token !== undefined) request.headers.set("authorization", `Bearer ${token}`);
  return request;
}

const throwing: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw await problemOf(response);
  },
};

/** The native API, typed by its OpenAPI document. Whatever goes wrong is thrown as a `Problem`. */
export const api = createClient<paths>({ baseUrl: location.origin, fetch: authorized });
api.use(throwing);

/** The body of an answer; raises a `Problem`. */
export async function answer<T>(asked: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  try {
    const { data } = await asked;
    if (data === undefined) throw new Problem(500, {});
    return data;
  } catch (error) {
    throw asProblem(error);
  }
}
