import * as assert from "uvu/assert";
import { torchvisionPreprocessing } from "../../engine/models/preprocessing.ts";
import { parsePreprocessing, preprocessingOfJson } from "../../engine/models/preprocessing-spec.ts";
import { suite } from "../support/suite.ts";

const torchvision = "resize=256,crop=224,mean=0.485/0.456/0.406,std=0.229/0.224/0.225";

suite("preprocessing of one's own", (test) => {
  test("in words, in JSON, as the library has it and as Hugging Face writes it: one meaning", () => {
    const expected = { preprocessing: torchvisionPreprocessing, crop: 224 };
    assert.equal(parsePreprocessing(torchvision), expected);
    assert.equal(parsePreprocessing(`${torchvision},scale=1/255,order=rgb,layout=chw`), expected);
    const { mean, std } = torchvisionPreprocessing;
    assert.equal(preprocessingOfJson({ resize: 256, crop: 224, mean, std }), expected);
    assert.equal(preprocessingOfJson({ ...torchvisionPreprocessing, crop: 224 }), expected);
    const huggingFace = {
      do_resize: true,
      size: { shortest_edge: 256 },
      do_center_crop: true,
      crop_size: { height: 224, width: 224 },
      rescale_factor: 1 / 255,
      image_mean: mean,
      image_std: std,
    };
    assert.equal(preprocessingOfJson(huggingFace), expected);
  });

  test("what is left out: the network's own size, 0 to 1", () => {
    const { preprocessing } = parsePreprocessing("order=gray,mean=0.1307,std=0.3081");
    const expected = {
      resize: "fit",
      resizeTo: 0,
      channelOrder: "gray",
      scale: 1 / 255,
      mean: [0.1307],
      std: [0.3081],
    };
    assert.equal(preprocessing, expected);
    assert.equal(parsePreprocessing("resize=299x299,scale=2/255,mean=1").preprocessing.mean, [1, 1, 1]);
    assert.is(parsePreprocessing("resize=299x299,scale=2/255,mean=1").preprocessing.scale, 2 / 255);
  });

  for (const [text, message] of [
    [
      "size=3",
      'preprocessing "size=3": "size=3" must be one of resize=..., scale=..., mean=..., std=..., order=..., crop=..., layout=....',
    ],
    ["mean=1,mean=2", 'preprocessing "mean=1,mean=2": mean is there twice.'],
    ["mean=1/2", 'preprocessing "mean=1/2": mean must be one number, or 3 with / between, got "1/2".'],
    ["std=0", 'preprocessing "std=0": std must not be 0.'],
    ["order=yuv", 'preprocessing "order=yuv": order must be rgb, bgr or gray, got "yuv".'],
    ["scale=x", 'preprocessing "scale=x": scale must be a number other than 0, got "x".'],
    ["crop=-1", 'preprocessing "crop=-1": crop must be a positive integer, got "-1".'],
    [
      "resize=2x3",
      'preprocessing "resize=2x3": resize to 2x3: both sides must be alike; for the network\'s own height and width: resize=fit.',
    ],
    [
      "layout=hwc",
      'preprocessing "layout=hwc": layout must be chw, got "hwc": networks whose files are channels last are turned when they are read.',
    ],
  ] as const) {
    test(`refuses ${text}`, () => {
      assert.throws(
        () => parsePreprocessing(text),
        (error: Error) => error instanceof RangeError && error.message === message,
      );
    });
  }
});
