/** Writes what a job's description may say out of the OpenAPI document, for the help beside the editor. */
import { readFileSync, writeFileSync } from "node:fs";

const { schemas } = JSON.parse(readFileSync("openapi.json", "utf8")).components;

function kind(schema) {
  if (schema.$ref) return kind(schemas[schema.$ref.split("/").at(-1)]);
  if (schema.anyOf) return [...new Set(schema.anyOf.map(kind))].filter((one) => one !== "null").join(" or ");
  if (schema.type === "array") return `list of ${kind(schema.items ?? {})}`;
  return schema.type === "object" ? "mapping" : (schema.type ?? "anything");
}

function rows(name, before) {
  return Object.entries(schemas[name].properties).map(([field, schema]) => [
    before + field,
    kind(schema),
    schema.description ?? "",
  ]);
}

const all = [
  ...rows("DescriptionIn", ""),
  ...rows("RequirementIn", "requirements."),
  ...rows("OutputIn", "outputs[]."),
  ...rows("RetryIn", "retry."),
];
writeFileSync(
  "src/jobs/fields.ts",
  `/** Made by fields.mjs. */\nexport const FIELDS: [string, string, string][] = ${JSON.stringify(all)};\n`,
);
