import { describe, expect, it } from 'vitest';
import { language } from '../../src/critics/language.js';
import type { Finding, Json } from '../../src/domain/finding.js';
import { conformance, expectClean, inputFor, optionsOf, toolsFor } from './conformance.js';

const GERMAN = 'Die Katze saß den ganzen Nachmittag auf dem warmen Dach und sah den Vögeln im Garten zu.';

conformance(language, { good: { allow: ['en'] }, telling: { content: GERMAN, secret: 'Katze' } });

const judge = async (options: Json, content: Json): Promise<Finding> =>
  expectClean(await language.evaluate(inputFor(content), toolsFor(optionsOf(language, options))));
const codesOf = ({ violations }: Finding): string[] => violations.map(({ code }) => code);

describe('language', () => {
  it('refuses a language that the detector does not know, and names those it does', () => {
    const issue = language.options?.safeParse({ allow: ['tlh'] }).error?.issues[0];
    expect(issue?.message).toMatch(/^"tlh" is not a language that can be told: known are .*\ben\b/);
  });

  it.each([
    ['French', 'fr', 'Le chat est resté tout l’après-midi sur le toit chaud et regardait les oiseaux du jardin.'],
    ['Spanish', 'es', 'El gato pasó toda la tarde en el tejado caliente y miraba los pájaros del jardín.'],
    ['Russian', 'ru', 'Кошка весь день сидела на тёплой крыше и смотрела на птиц в саду.'],
    ['Chinese', 'zh', '那只猫整个下午都坐在温暖的屋顶上，看着花园里的鸟儿飞来飞去。'],
    ['Japanese', 'ja', '猫は午後ずっと暖かい屋根の上に座って、庭の鳥を眺めていました。'],
    ['Arabic', 'ar', 'جلست القطة طوال بعد الظهر على السطح الدافئ تراقب الطيور في الحديقة.'],
  ])('tells %s', async (_name, code, text) => {
    expect(codesOf(await judge({ allow: ['en'] }, text))).toEqual([`language:${code}`]);
    expect(codesOf(await judge({ allow: ['en', code] }, text))).toEqual([]);
  });

  it('finds one paragraph in another language anywhere in a long text', async () => {
    const english = `${'The trains were late again this morning, and nobody at the station could say for how long. '.repeat(9)}\n\n`;
    for (const before of [0, 1, 19, 20, 60]) {
      const finding = await judge({ allow: ['en'] }, `${english.repeat(before)}${GERMAN}\n\n${english.repeat(60 - before)}`);
      expect(codesOf(finding)).toEqual(['language:de']);
    }
  });

  it('says how many parts it judged, could not tell and left alone, and never flags what it could not tell', async () => {
    const finding = await judge({ allow: ['de'] }, ['ok', 'const a = [1, 2, 3].map((n) => n * 2); if (a[0] > 1) { b(a); }', GERMAN]);
    expect(finding).toEqual({ severity: 0, violations: [], uncertainty: 0, details: { judged: 1, unreliable: 0, notJudged: 2 } });
  });

  it('is unsure by the share of parts that it could not tell', async () => {
    const finding = await judge({ allow: ['en'], minLetters: 20 }, [
      'Qwpf zxcv bnmk ghty plok mwqz xxvb rrtp zzqk',
      GERMAN.replace('Die', 'The'),
    ]);
    expect(finding.uncertainty).toBeGreaterThan(0);
  });
});
