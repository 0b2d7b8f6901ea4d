/** The tools and the schema that every client is tested with. */

/** What comes of structured output, as JSON Schema. */
export const WEATHER_SCHEMA = {
  type: "object" as const,
  properties: {
    city: { type: "string" as const },
    temp_c: { type: "integer" as const },
    tags: { type: "array" as const, items: { type: "string" as const } },
  },
  required: ["city", "temp_c", "tags"],
  additionalProperties: false as const,
};

/** Arguments of `get_weather`. */
export const CITY_SCHEMA = {
  type: "object" as const,
  properties: { city: { type: "string" as const } },
  required: ["city"],
};

/** Arguments of `get_time`. */
export const ZONE_SCHEMA = {
  type: "object" as const,
  properties: { tz: { type: "string" as const } },
  required: ["tz"],
};

/** A chat completion's tools. */
export const TOOLS = [
  { type: "function" as const, function: { name: "get_weather", description: "Weather", parameters: CITY_SCHEMA } },
  { type: "function" as const, function: { name: "get_time", description: "Time", parameters: ZONE_SCHEMA } },
];
