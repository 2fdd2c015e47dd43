import { salientRelevanceDefaults } from "../../engine/salient/options.ts";
import { featureOracle, gridOracle, resizeOracle } from "../oracle/salient-relevance.ts";
import { assertClose } from "../support/close.ts";
import { suite } from "../support/suite.ts";
import { mapShape, speckledMap, spots } from "./salient-relevance-224.ts";

suite("salient relevance at 224x224, the bench's spots", (test) => {
  for (const feature of ["lab", "gray"] as const) {
    test(`${feature}: the stored values are the oracle's`, () => {
      const [channels = 0, height = 0, width = 0] = mapShape;
      const map = featureOracle(speckledMap(), channels, height, width, feature);
      const work = map.map((plane) =>
        resizeOracle(plane, salientRelevanceDefaults.workSize, salientRelevanceDefaults.workSize),
      );
      const scales = new Set(spots.filter((spot) => spot.feature === feature).map(({ scale }) => scale));
      for (const scale of scales) {
        const here = spots.filter((spot) => spot.feature === feature && spot.scale === scale);
        const { grid } = gridOracle(work, scale, { ...salientRelevanceDefaults, feature }, (row, column) =>
          here.some((spot) => spot.row === row && spot.column === column),
        );
        assertClose(
          here.map(({ row, column }) => grid.data[row * grid.width + column] ?? Number.NaN),
          here.map(({ value }) => value),
          1e-9,
          `scale ${scale}`,
        );
      }
    });
  }
});
