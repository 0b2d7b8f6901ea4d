const ADJECTIVES = ("amber brave calm candid careful cheerful clever cosy curious daring dapper eager earnest fabled " +
  "fearless gentle gleeful golden graceful hardy hasty honest humble jolly keen kindly lively lucky mellow merry " +
  "mighty nimble noble patient placid plucky polite proud quick quiet radiant rapid sincere sleek snowy spirited " +
  "steady sturdy sunny swift tidy trusty valiant vivid wise witty zesty").split(" ");

const NOUNS =
  ("alder badger beacon birch bison breeze brook cedar comet coral crane cypress dolphin ember falcon fern " +
    "finch fjord fox garnet glacier grove harbor heron island ivy juniper kestrel lagoon lantern lark linden lynx " +
    "magpie maple marten meadow otter owl pebble pine plover quartz raven reef robin sable seal sparrow spruce stork " +
    "summit swallow tern thistle tiger valley walnut willow wren").split(" ");

/** A name for a run that has none, such as `brave-otter-417`. */
export function inventRunName(): string {
  const [first = 0, second = 0, third = 0] = crypto.getRandomValues(new Uint32Array(3));
  return `${ADJECTIVES[first % ADJECTIVES.length]}-${NOUNS[second % NOUNS.length]}-${third % 1000}`;
}
