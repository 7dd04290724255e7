// What Forge's own command line checks in a manifest, as JSON: what it found, what it read, and the
// names that it knows, as unknown modules, events and scopes pass its schema. A second argument
// asks for the checks of events and of the agent too.
const path = require("node:path");
const { ProcessorBuilder, ValidationTypes } = require("@forge/manifest");
const WHOLE = ["product-trigger", "agent-product-context"];
const read = (name) => require(path.join(path.dirname(require.resolve("@forge/manifest")), name));

(async () => {
  const told = { errors: [], manifest: null };
  for (const type of [ValidationTypes.FULL, ...(process.argv[3] ? WHOLE : [])]) {
    const found = await ProcessorBuilder.instance().withValidation(type).build().process(process.argv[2]);
    told.errors.push(...(found.errors ?? []).map((each) => `${type}: ${each.message}`));
    told.manifest ??= found.manifestObject?.typedContent ?? null;
  }
  told.modules = Object.keys(read("schema/manifest-schema.json").definitions.ModuleSchema.properties);
  told.events = read("mapping/product-event-to-scope-mapping.json").mapping.map((each) => each.productEvent);
  told.scopes = read("scopes/shipyard-scopes.json");
  console.log(JSON.stringify(told));
})();
