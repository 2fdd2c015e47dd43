import * as assert from "uvu/assert";
import { modelNames } from "../../engine/models/index.ts";
import { bundledModels, defaultModel } from "../../host/models/bundled.ts";
import { srmap } from "../support/run-cli.ts";
import { suite } from "../support/suite.ts";

suite("cli/models", (test) => {
  test("every network is listed with its classes and where its weights are", async () => {
    const { code, out, err } = await srmap("models");
    assert.is(code, 0);
    assert.is(err, "");
    for (const name of modelNames()) assert.match(out, new RegExp(`^${name} +\\d+ `, "m"));
    assert.match(out, new RegExp(`^${defaultModel} +1000 +1\\.2 M +2\\.5 MB +in the package \\(default\\)$`, "m"));
    assert.match(out, /^vgg16 +1000 +138\.4 M +553\.4 MB +(srmap fetch vgg16|fetched)$/m);
    assert.match(out, /^vgg-face +2622 /m);
  });

  test("--json has the same and more", async () => {
    const { out } = await srmap("models", "--json");
    const { models } = JSON.parse(out) as { models: Record<string, unknown>[] };
    assert.equal(
      models.map(({ name }) => name),
      [...modelNames()],
    );
    for (const { name, accuracy } of bundledModels()) {
      const row = models.find((model) => model["name"] === name);
      assert.is(row?.["weights"], "package");
      assert.equal(row?.["accuracy"], accuracy);
    }
  });

  test("it takes no argument", async () => {
    const { code, err } = await srmap("models", "vgg16");
    assert.is(code, 2);
    assert.is(err, 'srmap: models takes no argument, got "vgg16". See "srmap help models".\n');
  });
});
