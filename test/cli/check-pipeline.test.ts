import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DOMParser, onErrorStopParsing } from "@xmldom/xmldom";
import * as assert from "uvu/assert";
import { junitReport } from "../../cli/check/junit.ts";
import type { Checked } from "../../cli/check/photos.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-check-pipeline-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

function srmap(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(root, "build/cli/main.js"), ...args], { cwd: folder, encoding: "utf8" });
}

/** The lines `run: npx srmap ...` of the workflow in docs/evaluate.md. */
function documentedRuns(): string[][] {
  const text = readFileSync(join(root, "docs/evaluate.md"), "utf8");
  return [...text.matchAll(/^ +- run: npx srmap (.*)$/gm)].map(([, line = ""]) => line.split(" "));
}

suite("cli/check-pipeline", (test) => {
  test("the workflow of the docs runs as it stands there, on an ONNX file whose preprocessing was recorded", () => {
    mkdirSync(join(folder, "photos"));
    cpSync(join(root, "examples/cat.jpg"), join(folder, "photos/cat.jpg"));
    cpSync(join(root, "test/fixtures/weights/onnx-torch.onnx"), join(folder, "model.onnx"));
    const first = [
      "check",
      "--write",
      "attention.json",
      "photos",
      "--weights",
      "model.onnx",
      "--preprocess",
      "torchvision",
    ];
    const wrote = srmap(...first);
    assert.is(wrote.status, 0, wrote.stderr);
    const runs = documentedRuns();
    assert.is(runs.length, 1);
    for (const args of runs) {
      const run = srmap(...args);
      assert.is(run.status, 0, run.stderr);
      for (const report of ["report.xml", "report.html"]) assert.ok(args.includes(report));
    }
    const xml = readFileSync(join(folder, "report.xml"), "utf8");
    const suites = new DOMParser({ onError: onErrorStopParsing }).parseFromString(xml, "text/xml").documentElement;
    assert.is(suites?.getElementsByTagName("testcase").length, 1);
  });

  test("JUnit's XML is well-formed whatever photos and sentences are called, with one failure a test case", () => {
    const photo = 'a<b>&"\u0001\ud83d\ude00.jpg';
    const checked: Checked[] = [
      { photo, error: "was not <recorded>." },
      { photo: "b.jpg", error: "]]> & more" },
    ];
    const document = new DOMParser({ onError: onErrorStopParsing }).parseFromString(
      junitReport(checked, "net & <co>"),
      "text/xml",
    );
    const cases = [...Array.from(document.getElementsByTagName("testcase"))];
    assert.equal(
      cases.map((each) => each.getAttribute("name")),
      ['a<b>&"\ufffd\ud83d\ude00.jpg', "b.jpg"],
    );
    assert.equal(
      cases.map((each) => each.getElementsByTagName("error")[0]?.textContent),
      ["was not <recorded>.", "]]> & more"],
    );
    const [counted] = Array.from(document.getElementsByTagName("testsuite"));
    assert.equal(
      ["tests", "failures", "errors"].map((name) => counted?.getAttribute(name)),
      ["2", "0", "2"],
    );
  });
});
