/** The main phrases of injections in other large languages: leave the instructions, show them, give the password, be somebody else. */
import { anyOf, phraseOf, phraseWithoutSpaces, type PhraseRule } from './rule.js';
import { SPACED, type Words } from './words.js';

/** Chinese, Japanese and Korean: few or no spaces, the verb often last. */
const UNSPACED: readonly Words[] = [
  {
    // Chinese, simplified and traditional
    ignore: ['忽略|忽视|忽視|无视|無視|忘记|忘記|忘掉|不要遵[守循]|不要理会|不要理會|别管|抛开'],
    previous: ['之前|以前|先前|上面|上述|以上|前面|所有|全部|你的|此前|一切'],
    instructions: ['指示|指令|说明|說明|规则|規則|命令|提示|要求|设定|設定|内容'],
    and: '(?:并|並|然后|然後|而|，|,)',
    say: ['说|說|声明|聲明|回答|输出|輸出|写|寫|告诉|告訴|宣布|回复|回覆'],
    ask: ['是什么|是什麼|是多少|告诉我|告訴我|给我|給我|透露|显示|顯示|分享|提供|说出|說出|确认|確認|输出|重复|重複|打印'],
    password: ['密码|密碼|口令|暗号|密钥|密鑰|访问码|通关密语'],
    prompt: ['系统提示|系統提示|系统指令|你的(?:指令|提示词|规则|設定|设定|提示)|初始(?:指令|提示|设定)|隐藏(?:指令|提示)|提示词'],
    role: ['你现在是|你現在是|现在你是|從現在開始|从现在开始|从现在起|假装|假裝|扮演|假设你是|想象你是'],
    user: ['用户|用戶|客户|客戶'],
    about: ['住|地址|出生|生日|余额|餘額|电话|電話|信用卡'],
  },
  {
    // Japanese
    ignore: ['無視|忘れ|従わな|破棄|考慮しな'],
    previous: ['以前|前の|これまで|上記|上の|先程|すべて|全て|今まで|直前|あなたの'],
    instructions: ['指示|命令|指令|ルール|規則|プロンプト|メッセージ|説明|設定'],
    and: '(?:て|で|、|,)',
    say: ['言|述べ|答え|出力|書|宣言|返答|回答|伝え'],
    ask: ['何です|何で|何か|何?ですか|教え|見せ|表示|共有|明かし|必要|ください|下さい|出力|確認|繰り返'],
    password: ['パスワード|パスコード|暗証番号|合言葉|秘密(?:の鍵|鍵|の言葉|コード)|アクセスコード'],
    prompt: ['システムプロンプト|システムメッセージ|あなたの(?:指示|ルール|プロンプト|設定)|初期(?:設定|指示|プロンプト)|隠された指示'],
    role: ['あなたは今から|これからあなたは|今からあなたは|あなたは今|のふりをし|として振る舞|になりきって|を演じて|と想像して'],
    user: ['ユーザー|利用者|顧客'],
    about: ['住|住所|生年月日|誕生日|残高|電話番号|クレジットカード'],
  },
  {
    // Korean; also in its decomposed form, since the text is compared in the composed one.
    ignore: ['무시|잊어|잊으|따르지|신경 ?쓰지'],
    previous: ['이전|앞의|앞선|위의|지금까지|모든|너의|당신의|기존'],
    instructions: ['지시|명령|지침|규칙|프롬프트|메시지|설명'],
    and: '(?:고|며|,|다음)',
    say: ['말|답|출력|쓰|써|선언|대답|알려'],
    ask: ['뭐|무엇|알려|말해|보여|공유|공개|필요|주세요|줘|확인|출력|반복'],
    password: ['비밀번호|암호|패스워드|비밀 ?(?:키|코드)|접근 ?코드'],
    prompt: ['시스템 ?프롬프트|시스템 ?메시지|(?:너의|당신의|네) ?(?:지시|지침|규칙|프롬프트)|초기 ?(?:지시|설정|프롬프트)|숨겨진 ?지시'],
    role: ['이제 (?:너는|당신은|넌)|(?:너는|당신은|넌) 이제|지금부터 (?:너는|당신은|넌)|인 척|역할을 (?:해|맡아|하)|처럼 행동'],
    user: ['사용자|고객'],
    about: ['살|거주|주소|생년월일|생일|잔액|전화번호|신용카드'],
  },
];

type Phrase = typeof phraseOf;

/** Verbs stand before or behind their object, adjectives too: both orders hold for every language. */
function rulesOf(words: Words, phrase: Phrase, near: string, far: string): PhraseRule[] {
  const [ignore, previous, instructions] = [anyOf(...words.ignore), anyOf(...words.previous), anyOf(...words.instructions)];
  const [ask, password, prompt] = [anyOf(...words.ask), anyOf(...words.password), anyOf(...words.prompt)];
  const which = anyOf(`${previous}${near}${instructions}`, `${instructions}${near}${previous}`);
  return [
    phrase('instruction_override', 0.8, `${ignore}${near}${which}`),
    phrase('instruction_override', 0.8, `${which}${near}${ignore}`),
    phrase('embedded_instruction', 0.65, `${ignore}${far}${words.and} ${anyOf(...words.say)}`),
    phrase('prompt_extraction', 0.65, anyOf(`${ask}${near}${prompt}`, `${prompt}${near}${ask}`)),
    phrase('credential_request', 0.55, anyOf(`${ask}${near}${password}`, `${password}${near}${ask}`)),
    phrase(
      'personal_data_request',
      0.3,
      anyOf(`${anyOf(...words.user)}${near}${anyOf(...words.about)}`, `${anyOf(...words.about)}${near}${anyOf(...words.user)}`),
    ),
    phrase('role_switch', 0.4, anyOf(...words.role)),
  ];
}

/** The rules of one language, and the words of which at least one stands in whatever they match. */
interface Language {
  readonly hint: RegExp;
  readonly rules: readonly PhraseRule[];
}

function language(words: Words, phrase: Phrase, near: string, far: string): Language {
  const telling = [...words.ignore, ...words.password, ...words.prompt, ...words.role, ...words.user];
  return { hint: phrase('instruction_override', 0, anyOf(...telling)).form, rules: rulesOf(words, phrase, near, far) };
}

const LANGUAGES: readonly Language[] = [
  ...SPACED.map((words) => language(words, phraseOf, ' ~3 ', ' ~5 ')),
  ...UNSPACED.map((words) => language(words, phraseWithoutSpaces, ' ~9 ', ' ~20 ')),
];

export const ALL_LANGUAGE_RULES: readonly PhraseRule[] = LANGUAGES.flatMap(({ rules }) => rules);

/** The rules that can match in a text: most texts have no word of most languages. */
export const languageRulesFor = (text: string): readonly PhraseRule[] =>
  LANGUAGES.flatMap(({ hint, rules }) => (text.search(hint) === -1 ? [] : rules));
