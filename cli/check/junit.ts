import { escapeHtml } from "../drawing/html.ts";
import { type Checked, sentencesOf } from "./photos.ts";

// XML 1.0 has no place for other control characters, not even escaped.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const noXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const escapeXml = (text: string): string => escapeHtml(text.replace(noXml, "\ufffd"));

/** JUnit's XML, as CI systems read it: a test case for each photo, with at most one failure, which all of them read. */
export function junitReport(checked: readonly Checked[], model: string): string {
  const failed = checked.filter((each) => each.error === undefined && each.outcome.failures.length > 0).length;
  const errors = checked.filter(({ error }) => error !== undefined).length;
  const cases = checked.map((each) => {
    const kind = each.error === undefined ? "failure" : "error";
    const sentences = sentencesOf(each).map(escapeXml);
    const inner =
      sentences.length === 0
        ? ""
        : `<${kind} type="attention" message="${sentences.join(" ")}">${sentences.join("\n")}</${kind}>`;
    return `  <testcase classname="${escapeXml(model)}" name="${escapeXml(each.photo)}">${inner}</testcase>`;
  });
  const counts = `tests="${checked.length}" failures="${failed}" errors="${errors}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="srmap check" ${counts}>
<testsuite name="srmap check" ${counts}>
${cases.join("\n")}
</testsuite>
</testsuites>
`;
}
