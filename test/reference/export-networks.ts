// Writes the reference networks as JSON for make-references.py: node build/test/reference/export-networks.js > networks.json
import { boxHigh, boxLow, type ReferenceNetwork, referenceLayers, referenceNetworks } from "./networks.ts";

const plain = (network: ReferenceNetwork): object => ({
  definition: network.definition,
  parameters: Object.fromEntries([...network.parameters].map(([name, values]) => [name, [...values]])),
  input: [...network.input],
  start: network.start === undefined ? null : [...network.start],
});

process.stdout.write(
  JSON.stringify({
    layers: referenceLayers.map(plain),
    networks: referenceNetworks.map(plain),
    boxLow,
    boxHigh,
  }),
);
