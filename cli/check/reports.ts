import { heatmap, overlay } from "../../engine/picture/heatmap.ts";
import type { Image } from "../../engine/picture/image.ts";
import { type Attention, type AttentionOutcome, enlargeMap, gridSide } from "../../evaluation/index.ts";
import { encodePng } from "../drawing/png.ts";
import { escapeHtml, pageStyle } from "../evaluate/page.ts";

/** A photo that was compared, or why it could not be. */
export type Checked =
  | { readonly photo: string; readonly error: string }
  | {
      readonly photo: string;
      readonly error?: undefined;
      readonly outcome: AttentionOutcome;
      readonly before: Attention;
      readonly after: Attention;
      readonly picture: Image;
    };

/** The sentences about a photo that failed; none when it passed. */
export function sentencesOf(checked: Checked): readonly string[] {
  return checked.error === undefined ? checked.outcome.failures : [checked.error];
}

// XML 1.0 has no place for other control characters, not even escaped.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const noXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const escapeXml = (text: string): string => escapeHtml(text.replace(noXml, "\ufffd"));

/** JUnit's XML, as CI systems read it: a test case for each photo. */
export function junitReport(checked: readonly Checked[], model: string): string {
  const failed = checked.filter((each) => each.error === undefined && each.outcome.failures.length > 0).length;
  const errors = checked.filter(({ error }) => error !== undefined).length;
  const cases = checked.map((each) => {
    const kind = each.error === undefined ? "failure" : "error";
    const inner = sentencesOf(each).map((sentence) => `<${kind} message="${escapeXml(sentence)}"/>`);
    return `  <testcase classname="${escapeXml(model)}" name="${escapeXml(each.photo)}">${inner.join("")}</testcase>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
<testsuite name="srmap check" tests="${checked.length}" failures="${failed}" errors="${errors}">
${cases.join("\n")}
</testsuite>
</testsuites>
`;
}

const dataUrl = (image: Image): string => `data:image/png;base64,${Buffer.from(encodePng(image)).toString("base64")}`;

function figures({ before, after, picture }: Extract<Checked, { error?: undefined }>): string {
  const { width, height } = picture;
  const enlarged = (grid: readonly number[]): Float32Array =>
    Float32Array.from(enlargeMap(Float64Array.from(grid), gridSide, gridSide, width, height));
  const shape = [height, width];
  const [was, is] = [enlarged(before.grid), enlarged(after.grid)];
  const difference = heatmap(
    { shape, data: is.map((value, i) => value - was[i]!) },
    { colormap: "bwr", symmetric: true },
  );
  const pictures: readonly (readonly [string, Image])[] = [
    ["photo", picture],
    [`before: ${before.prediction.label}`, overlay(picture, { shape, data: was })],
    [`now: ${after.prediction.label}`, overlay(picture, { shape, data: is })],
    ["difference: red has more attention now, blue less", difference.image],
  ];
  return pictures
    .map(
      ([text, image]) =>
        `<figure><img src="${dataUrl(image)}" width="224" alt="${escapeHtml(text)}"><figcaption>${escapeHtml(text)}</figcaption></figure>`,
    )
    .join("\n");
}

/** The page: before, now and difference of each photo that failed. One file, which loads nothing. */
export function checkPage(checked: readonly Checked[], model: string, facts: readonly string[]): string {
  const failed = checked.filter((each) => sentencesOf(each).length > 0);
  const articles = failed.map((each) => {
    const sentences = sentencesOf(each).map((sentence) => `<li class="bad">${escapeHtml(sentence)}</li>`);
    const shown = each.error === undefined ? `<div class="photos">\n${figures(each)}\n</div>` : "";
    return `<article><h2>${escapeHtml(each.photo)}</h2>\n<ul>${sentences.join("")}</ul>\n${shown}</article>`;
  });
  const verdict =
    failed.length === 0
      ? `All ${checked.length} photos pass: ${model} looks where it looked.`
      : `${failed.length} of ${checked.length} photos fail.`;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>srmap check: ${escapeHtml(model)}</title><style>${pageStyle}</style></head>
<body>
<header><h1>${escapeHtml(verdict)}</h1>
${facts.map((fact) => `<p class="quiet">${escapeHtml(fact)}</p>`).join("\n")}</header>
<main>
${articles.join("\n")}
</main></body></html>
`;
}
