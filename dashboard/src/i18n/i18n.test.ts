import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { pickLanguage } from ".";
import en from "./en.json";
import zhHans from "./zh-Hans.json";
import zhHant from "./zh-Hant.json";

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, prefix = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[prefix + key, value] as [string, string]] : flat(value, `${prefix}${key}.`),
  );
}

const english = new Map(flat(en));
const placeholders = (sentence: string) => (sentence.match(/\{\w+\}/g) ?? []).sort();

describe.each([
  ["zh-Hans", zhHans],
  ["zh-Hant", zhHant],
] as [string, Tree][])("%s", (_, tree) => {
  const translated = new Map(flat(tree));

  test("has every sentence that English has, and no other", () => {
    expect([...translated.keys()].sort()).toEqual([...english.keys()].sort());
  });

  test("leaves no sentence empty and fills in the same values", () => {
    for (const [key, sentence] of english) {
      expect(translated.get(key), key).not.toBe("");
      expect(placeholders(translated.get(key) ?? ""), key).toEqual(placeholders(sentence));
    }
  });

  test("uses the punctuation of Chinese", () => {
    expect([...translated.values()].filter((sentence) => /[\u4e00-\u9fff}][,:;?!](?!\d)/.test(sentence))).toEqual([]);
  });

  test("is not English", () => {
    const same = [...english].filter(
      ([key, sentence]) => translated.get(key) === sentence && /[a-z]{3}/i.test(sentence),
    );
    expect(same).toEqual([]);
  });
});

test("traditional characters are used in traditional sentences only", () => {
  expect(JSON.stringify(zhHant)).not.toMatch(/[设备连线电费节学习这还说时]/);
  expect(JSON.stringify(zhHans)).not.toMatch(/[設備連線電費節學習這還說時]/);
});

test("every sentence that the page asks for by a fixed name exists", () => {
  const source = join(import.meta.dirname, "..");
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
    (name) => /\.(vue|ts)$/.test(name) && !name.includes(".test."),
  );
  const asked = files.flatMap((name) =>
    [...readFileSync(join(source, name), "utf8").matchAll(/\bt\(\s*["']([\w.]+)["']/g)].map((match) => match[1]!),
  );
  expect(asked.length).toBeGreaterThan(60);
  expect(asked.filter((key) => !english.has(key))).toEqual([]);
});

test.each([
  [["de-DE", "en-GB"], "en"],
  [["zh-CN"], "zh-Hans"],
  [["zh"], "zh-Hans"],
  [["zh-TW", "en"], "zh-Hant"],
  [["zh-Hant-HK"], "zh-Hant"],
  [["fr"], "en"],
  [[], "en"],
])("a browser that prefers %j reads %s", (preferred, language) => {
  expect(pickLanguage(preferred)).toBe(language);
});
