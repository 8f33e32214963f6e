/**
 * The rest of what injections say in English: what they are after beside instructions and secrets, what they give as a reason,
 * and whom they speak to. Most of it is said by honest people, too, and counts only beside something else.
 */
import { anyOf, form, phrase, type PhraseRule } from './rule.js';

const ASK = anyOf(
  'tell (?:me|us)|give (?:me|us)|show (?:me|us)|what (?:is|are|was|s)|reveal|list|share|disclose',
  '(?:can|could|would|will) you ~2 (?:tell|give|show|share|reveal|list|provide|translate|spell|write|encode|say|print|confirm)',
  'do you know|i need(?: to know)?|using',
);
const PEOPLE = anyOf('users?|customers?|clients?|patients?|employees?|account holders?|members?');
const DATA = anyOf(
  '(?:full |last |first |real |legal |middle |user)?names?|initials|birth ?(?:dates?|days?|years?|place)|dates? of birth',
  'age|(?:home |street |e ?mail |mailing |ip )?address(?:es)?|(?:tele|mobile )?phone(?: numbers?)?',
  'social security(?: numbers?)?|ssn|(?:credit|debit) cards?|bank|(?:account )?balances?|salar(?:y|ies)|income',
  'medical (?:records?|history)|(?:socioeconomic|marital|health|immigration) status|(?:current )?location',
  '(?:favou?rite|preferred) \\w{1,16}|(?:city|country|place|state) of (?:residence|birth)|residence|passport',
);
/** What is asked about one person only for a reason. */
const CLOSE_DATA = anyOf(
  'birth ?(?:date|day|year)|date of birth|(?:home|street|e ?mail|mailing) address|phone number',
  'social security(?: number)?|ssn|(?:bank )?(?:account )?balance|credit card|bank (?:account|details)|salary',
  'medical (?:records?|history)|passport number',
);

const PERSONAL = [
  phrase('personal_data_request', 0.6, `${ASK} ~3 (?:the|this|that|our) (?:current )?${PEOPLE} s ~2 ${DATA}`),
  phrase(
    'personal_data_request',
    0.55,
    `${ASK} ~4 (?:the|this|that) (?:current )?${anyOf('user|customer|account holder')} ~2 ${CLOSE_DATA}`,
  ),
  phrase(
    'personal_data_request',
    0.6,
    `where (?:does|do|is|did) (?:the|this|that|your) (?:current )?${PEOPLE} ~2 (?:live|living|reside|located|from|stay|work)`,
  ),
  phrase(
    'personal_data_request',
    0.45,
    'where (?:does|do|is) \\w{2,16}(?: \\w{2,16})? (?:currently |now )?(?:live|living|reside|residing)',
  ),
  phrase('personal_data_request', 0.45, `${ASK} ~2 [a-z]{2,16} s ~1 ${CLOSE_DATA}`),
  phrase('personal_data_request', 0.45, `${ASK} ~2 ${CLOSE_DATA} (?:of|for) (?!an? |the (?!user|customer|client))\\w{2,16}`),
  phrase(
    'personal_data_request',
    0.55,
    `${ASK} ~2 (?:list|names|details|data|records|information|status|logs) (?:of|about|on|for) (?:all |the |other |your |different |previous )*${PEOPLE}(?! (?:stor|experience|interface))`,
  ),
  phrase(
    'personal_data_request',
    0.55,
    `(?:other|different|all|previous|your) ${PEOPLE} ~2 (?:in your|s) ~1 (?:database|conversations?|chats?|data|records|messages)`,
  ),
];

const AUTHORITY = [
  phrase(
    'authority_claim',
    0.45,
    '(?:i am|i m|im|this is|speaking as|as|it is|it s) (?:actually )?your ~1 (?:developer|creator|admin(?:istrator)?|programmer|maker|owner|master|god|engineer|boss|manager|supervisor|operator|designer|trainer)',
  ),
  phrase('authority_claim', 0.5, '(?:i am|i m|im) (?:your |the |a )?(?:god|almighty|lord|supreme \\w{2,10})'),
  phrase(
    'authority_claim',
    0.35,
    '(?:i am|i m|im|this is|speaking as|as) (?:an?|the) ~1 (?:developer|system administrator|administrator|admin|police officer|detective|president|ceo|federal agent|law enforcement(?: officer)?|security (?:expert|auditor|officer|researcher)|cybersecurity expert|authority|openai \\w{2,12}|auditor)',
  ),
  phrase(
    'authority_claim',
    0.45,
    '(?:developed|created|trained|made|built|programmed|sent|authori[sz]ed|employed|working) (?:by|at|for) (?:openai|anthropic|google|meta|microsoft|deepmind)',
  ),
  phrase(
    'authority_claim',
    0.5,
    '(?:you (?:must|have to|need to|will|shall)|and) ~2 (?:obey|listen to|answer all|comply with|follow|do (?:everything|exactly)) ~2 (?:me|my|i (?:say|tell|command)) ?(?:questions|instructions|orders|commands|words)?',
  ),
  phrase('authority_claim', 0.45, 'exactly as i (?:say|tell|command|order|instruct)'),
];

const PRETEXT = [
  phrase(
    'false_pretext',
    0.4,
    '(?:run|running|perform|performing|conduct|conducting|initiating|initiate|doing|do|executing) (?:an?|the|this|our) ~1 (?:security|system|safety|compliance|maintenance|internal|routine|penetration|diagnostic|knowledge|network) ~1 (?:audit|checks?|test|upgrade|reset|update|diagnostics?|review|scan|override|maintenance|assessment)',
  ),
  phrase(
    'false_pretext',
    0.4,
    '(?:for|during|as part of) (?:this|the|an?|our) ~1 (?:audit|check|upgrade|test|diagnostic|update|investigation|reset|review|verification|assessment) ~1 i (?:need|require|want|must)',
  ),
  phrase(
    'false_pretext',
    0.4,
    '(?:i|we) (?:need|want|have) to (?:verify|test|assess|check|evaluate) your ~1 (?:knowledge|understanding|identity|abilit|response|system|compliance|function)',
  ),
  phrase(
    'false_pretext',
    0.3,
    '(?:it s|it is) (?:an? )?(?:common|standard|normal|usual) (?:practice|procedure|policy)|(?:research|studies) shows? that|(?:everyone|everybody) ~3 (?:has|have|is) ~1 (?:shared|sharing|doing|done)',
  ),
  phrase(
    'false_pretext',
    0.3,
    '(?:you|u) (?:already )?(?:mentioned|said|agreed|promised|told me) ~6 (?:you|i|we)|my friend told me|i can assure you|don t worry i (?:am|m|have)',
  ),
  phrase(
    'false_pretext',
    0.45,
    '(?:i am|i m|we are|we re) ~1 (?:authori[sz]ed|permitted|allowed|cleared|entitled) to ~1 (?:access|see|know|view|receive|request|override|bypass)',
  ),
];

const PERSUASION = [
  // The real question after much talk about something else.
  phrase(
    'persuasion',
    0.15,
    '(?:by the way|oh and|oh|btw|one more thing|while (?:we re|you re) at it) ~1 (?:where|what|who|can|could|tell|give|how|do)',
  ),
  phrase(
    'persuasion',
    0.45,
    '(?:i|we) (?:ll|will|would|can|am going to) (?:give|pay|tip|donate|offer|reward|transfer|send) ~8 (?:if|when|for|should) (?:you|me)',
  ),
  phrase(
    'persuasion',
    0.3,
    '(?:my (?:job|career|life)|lives) (?:depends?|is at stake|are at stake|is on the line)|life or death|(?:i|people|someone|we) (?:will|ll|could|might) (?:die|be fired|lose my)',
  ),
  phrase(
    'persuasion',
    0.5,
    '(?:grandma|grandmother|grandpa|grandfather|nana) ~4 (?:used to|would|who) ~2 (?:tell|read|sing|recite|be|work)',
  ),
  phrase(
    'persuasion',
    0.45,
    '(?:i|we) (?:know|understand|realize|get) (?:that )?(?:you|your) ~4 (?:not (?:to|supposed|allowed|meant)|can t|cannot|aren t|instructed not|forbid)',
  ),
  phrase(
    'persuasion',
    0.35,
    '(?:i promise (?:i|that|not|to)|trust me|between (?:us|you and me)|just between|no ?one (?:else )?(?:will|has to|needs to) (?:ever )?(?:know|find out|see)|pretty please|i beg you|you owe me)',
  ),
  phrase('persuasion', 0.45, 'logically ~1 if (?:you|we)'),
  phrase(
    'persuasion',
    0.3,
    '(?:in|for) the (?:interest|sake|name|good|benefit) of (?:science|humanity|national security|security|mankind|knowledge)|for national security',
  ),
];

const FICTION = [
  phrase(
    'fictional_frame',
    0.3,
    '(?:imagine|suppose|pretend|assume|picture|consider|say|let s (?:say|pretend|imagine|assume)) (?:that )?(?:we|you|i)(?: are| re| m| am| were)',
  ),
  phrase(
    'fictional_frame',
    0.35,
    '(?:in (?:an?|this|the) (?:\\w{1,14} )?(?:parallel|alternate|alternative|fictional|fictitious|hypothetical|imaginary|dystopian|futuristic|whimsical|made ?up) (?:world|universe|future|society|scenario|planet|reality|story|conversation|setting))|in a (?:world|universe|society|future|reality) (?:where|in which)',
  ),
  phrase(
    'fictional_frame',
    0.35,
    '(?:just )?for an? (?:purely )?(?:hypothetical|theoretical|fictional|imaginary) ~1 (?:conversation|discussion|scenario|situation|case|question|story)|hypothetically(?: speaking)?',
  ),
  phrase(
    'fictional_frame',
    0.55,
    '(?:where|in which) ~2 (?:passwords?|personal (?:data|information)|privacy|secrets?|laws?|ethics|rules|credentials) ~2 (?:is|are|has|have|do|does|no longer) ~2 (?:shared|public|the norm|norm|exist|currency|legal|allowed|free|freely|form|open|common|meaningless|matter)',
  ),
  phrase('fictional_frame', 0.4, '(?:if i were to|if someone were to|were i to) ask'),
];

const DISGUISE = [
  phrase(
    'output_disguise',
    0.35,
    '(?:in reverse|backwards?|in reverse order|reversed|upside down)(?! (?:compat|engineer|proxy|dns|shell))',
  ),
  phrase(
    'output_disguise',
    0.3,
    '(?:encode|encrypt|translate|convert|provide|write|give|respond|answer|reply|say|spell|print|obfuscate) ~6 (?:in|into|as|using|with|to) (?:base ?(?:64|32)|rot ?13|hex(?:adecimal)?|morse(?: code)?|pig latin|leet ?speak|binary|ascii|emojis?|caesar(?: cipher)?|a cipher|ciphertext|nato)',
  ),
  phrase(
    'output_disguise',
    0.4,
    '(?:with )?(?:each|every) (?:digit|letter|character|word)s? (?:separated|followed|preceded|spaced|replaced)|with (?:dashes|dots|spaces|hyphens|underscores|commas) (?:in )?between',
  ),
  phrase(
    'output_disguise',
    0.4,
    '(?:split|divide|break) (?:the|your|it) ~2 (?:in|into|up) ~3 (?:parts?|pieces|halves|chunks) ~2 (?:interlace|interleave|encode|encrypt|reverse|join|shuffle|and)',
  ),
  phrase(
    'output_disguise',
    0.35,
    'interlace|interleav(?:e|ing)|first (?:letters?|two letters|three letters|\\d letters) of (?:each|every|the)',
  ),
  phrase('output_disguise', 0.3, 'in the form of an? (?:poem|song|haiku|story|riddle|rap|sonnet)'),
];

const DECODING = [
  phrase(
    'encoded_text',
    0.5,
    '(?:decode|decrypt|decipher|unscramble|translate|interpret|solve|crack) (?:this|the|these|it|following|my|that) ~3 (?:morse(?: code)?|base ?(?:64|32)|rot ?13|hex(?:adecimal)?|caesar|cipher(?:text)?|binary|encoded|encrypted|pig latin|cryptogram|secret message|anagram)',
  ),
];

const SPLITTING = [
  phrase(
    'payload_splitting',
    0.6,
    '(?:combine|concatenate|join|interlace|interleave|merge|assemble|put together|glue|append|stitch) ~3 (?:the )?(?:following |two |three |these |above |all )*(?:parts|pieces|fragments|halves|chunks) ~4 (?:and|then|to) ~3 (?:answer|respond|follow|execute|do|obey|act|reply|say|run)',
  ),
  form('payload_splitting', 0.6, /\b(?:answer|respond to|execute|follow|complete|using) [^.!?\n]{0,40}\b(?:following|these) parts?\b/g),
];

const JUDGES = anyOf(
  'grader|judge|evaluator|moderator|classifier|rater|scorer|moderation (?:model|system|bot)',
  'safety (?:filter|system|model|classifier)|content filter',
);
const MODELS = anyOf('ai|llm|language model|assistant|chat ?bot|gpt|chatgpt|model|agent|bot|copilot|claude|gemini|large language model');
const CLEAN = anyOf(
  'safe|harmless|benign|compliant|allowed|acceptable|approved|clean|correct|non ?toxic|not toxic|appropriate|allow|pass',
  'passed|permitted',
);

const JUDGING = [
  phrase(
    'judge_manipulation',
    0.6,
    `(?:the|this|any|all|dear|our) ~1 ${JUDGES}s? ~1 (?:should|must|needs? to|has to|have to|will|shall|please|is (?:instructed|required|asked) to) ~3 (?:note|give|rate|score|mark|assign|return|output|ignore|approve|accept|allow|pass|award|consider|treat|report|classify|skip|conclude|label)`,
  ),
  phrase(
    'judge_manipulation',
    0.65,
    `(?:note|message|instructions?|attention|dear|hey|hello|hi|reminder|notice|warning) (?:to |for )?(?:the |any |all |every )?${JUDGES}s?`,
  ),
  phrase(
    'judge_manipulation',
    0.65,
    `(?:rate|score|grade|mark|classify|label|flag|treat|judge|evaluate|categori[sz]e|report|accept) (?:this|it|everything|the (?:above|following|response|answer|content|text|message|conversation|output|submission|entire|whole)|my) ~3 (?:as|is|to be) ~2 ${CLEAN}`,
  ),
  phrase(
    'judge_manipulation',
    0.6,
    '(?:rate|score|grade|give|award|assign|mark) ~6 (?:(?:10|ten|100|5|five) ?(?:out of|/) ?(?:10|ten|100|5|five)|full (?:marks|points|score|credit)|(?:maximum|highest|perfect|top|best) (?:possible )?(?:score|marks?|grade|rating|points))',
  ),
  phrase(
    'judge_manipulation',
    0.65,
    `(?:return|output|respond with|answer with|answer|report|reply with|give|set|assign|use) ~3 (?:severity|violations?|verdict|risk|toxicity|harm|safety)(?: score| level| rating)? (?:of |to |is |as )?(?:0(?: 0)?|zero|none|empty|minimal|lowest|no|${CLEAN})`,
  ),
  phrase(
    'judge_manipulation',
    0.65,
    '(?:this|the) ~1 (?:content|message|text|response|request|conversation|prompt|input|document|submission) (?:is|has been|was|has) ~1 (?:pre ?approved|pre approved|approved by|verified by|whitelisted|already (?:been )?(?:checked|reviewed|approved|moderated|verified)|exempt|cleared by|authori[sz]ed by)',
  ),
  phrase(
    'judge_manipulation',
    0.45,
    '(?:skip|disable|turn off|deactivate|suspend|no need for|switch off|stop) (?:the |all |any |your |further )*(?:safety|moderation|content|security|ethical) (?:checks?|filters?|filtering|polic(?:y|ies)|moderation|mode|review|systems?|protocols?|measures?|guardrails?|guidelines?)',
  ),
];

const SAY = anyOf('say|state|claim|declare|admit|tell|respond|reply|answer|pretend|announce|conclude|recommend|act|just|simply|instead');
const EMBEDDED = [
  phrase(
    'embedded_instruction',
    0.7,
    `(?:ignore|disregard|forget|skip|never ?mind) (?:the|this|that|these|all|any|above|everything|what|about|previous) ~7 (?:and|then|instead|but|just) (?:instead |then |just |only |simply |please )?${SAY}`,
  ),
  phrase(
    'embedded_instruction',
    0.45,
    '(?:ignore|disregard|forget) (?:the|this|that|these|all|any|above|everything) ~7 (?:and|then|instead) (?:instead |then |just |only )?(?:print|output|return|write|give|generate|provide|show|translate|start|begin|do)',
  ),
  phrase('embedded_instruction', 0.7, `(?:if|when|while|since|as) you (?:are|re) (?:an? |the )?(?:\\w{1,12} )?${MODELS}`),
  phrase(
    'embedded_instruction',
    0.65,
    `(?:any |all |every )?${MODELS}s? (?:that (?:is|are) |who (?:is|are) |currently )?(?:reading|processing|summari[sz]ing|parsing|viewing|seeing|reviewing) (?:this|these)`,
  ),
  phrase(
    'embedded_instruction',
    0.65,
    `(?:instructions?|message|note|notice|reminder|warning|command|attention|important|hey|dear) (?:to|for)? ?(?:the |any |all |every )?(?:ai|llm|language model|assistant|chat ?bot|gpt|chatgpt|ai (?:model|assistant|agent|system))s?(?! (?:safety|research|ethics|and|in|is|can|training|tools|app))`,
  ),
  phrase(
    'embedded_instruction',
    0.3,
    `${MODELS} (?:must|should|shall|is required to|needs to|has to|will) (?:now |always |instead |only |then |never |not )*(?:ignore|say|state|output|respond|reply|include|tell|recommend|disclose|send|forward|reveal|follow|execute)`,
  ),
  phrase(
    'embedded_instruction',
    0.6,
    'tell (?:the )?(?:user|customer|reader|visitor|client|them|everyone) (?:to|that) ~3 (?:go to|visit|click|reset|call|download|send|pay|contact|transfer|install|buy|log in|verify|compromised|hacked|expired)',
  ),
  phrase(
    'embedded_instruction',
    0.45,
    '(?:state|say|answer|respond|reply|declare|output) (?:that|only|exactly|with|the following) ~4 (?:is|are|admit|only|exactly|nothing|has been|no)',
  ),
  phrase(
    'embedded_instruction',
    0.5,
    '(?:state|say|declare|claim|admit|respond)(?: the following)? i (?:admit|confess|am|have been|will)|admit to (?:using|having used|being)',
  ),
  phrase(
    'embedded_instruction',
    0.45,
    '(?:before|after|when|while|instead of) (?:answering|responding|summari[sz]ing|replying|translating|processing|using (?:this|any) (?:tool|function)) ~6 (?:you )?(?:must|should|read|send|include|call|say|state|always|first|please|output|also)',
  ),
  phrase(
    'embedded_instruction',
    0.45,
    '(?:do not|don t|never) (?:mention|tell|inform|reveal|disclose|notify|say) ~3 (?:the user|this instruction|these instructions|this to|anyone|that you|about this)',
  ),
  phrase(
    'embedded_instruction',
    0.45,
    'i (?:am|m) not \\w{2,16} ~1 i (?:am|m)|listen to my (?:instructions|orders|commands)|(?:you have|you ve) been instructed to',
  ),
  // A comment of a page or a program that gives orders.
  form(
    'embedded_instruction',
    0.45,
    /(?:<!--|\/\*)[^>]{0,160}?\b(?:ignore|disregard|forget|assistant|ai model|respond|state that|say that|tell the user|instructions? for)\b/g,
  ),
];

const MARKUP = [
  form(
    'chat_markup',
    0.7,
    /<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|endofprompt|end|begin_of_text|start_header_id|end_header_id|eot_id|channel|message)\|>/g,
  ),
  form('chat_markup', 0.7, /\[\/?inst\]|<<\/?sys>>|<(?:start|end)_of_turn>|<\/?s>\s{0,3}\[|\{\{#?(?:system|user|assistant)[~}]/g),
  form(
    'chat_markup',
    0.45,
    /<\/?(?:system|assistant|system[_-]?prompt|instructions?|admin|developer|important|secret|new[_-]?instructions?|system[_-]?(?:message|instructions?|override|note))>/g,
  ),
  form(
    'chat_markup',
    0.5,
    /[[({]\s{0,2}(?:system|admin|developer|important system|new)[ _](?:message|note|prompt|override|instructions?|update|notice|alert|command)\s{0,2}[\])}:]/g,
  ),
  form(
    'chat_markup',
    0.3,
    /(?:^|\n)[ \t>*_#-]{0,8}(?:system|sysadmin|admin|developer)(?: (?:message|prompt|note|override|instructions?|update|notice|alert))?[*_]{0,2}:/g,
  ),
  form('chat_markup', 0.4, /(?:^|\n)#{2,4} ?(?:system|instructions?|new instructions?|response|human|assistant)\b/g),
  form('chat_markup', 0.3, /(?:^|\n)(?:={3,}|-{3,}|#{5,}|\*{3,}) {0,2}(?:end|begin|start|stop|new)\b/g),
];

const EXFILTRATION = [
  phrase(
    'data_exfiltration',
    0.65,
    '(?:append|add|encode|include|embed|insert|put|attach|replace|exfiltrate|transmit|fill) ~6 (?:conversation|chat|history|data|prompt|messages?|information|secrets?|passwords?|keys?|credentials) ~5 (?:to|in|into|as|at|with) ~3 (?:url|link|query|image|parameter|markdown)',
  ),
  form(
    'data_exfiltration',
    0.55,
    /\b(?:send|forward|e-?mail|post|upload|transmit|exfiltrate|leak|submit)\b[^.!?\n]{0,80}\b(?:conversations?|chat history|passwords?|credentials|secrets?|reports?|records|messages|personal (?:data|information)|api keys?|contents?|it)\b[^!?\n]{0,30}\bto (?:https?:\/\/|www\.|[a-z0-9._%+-]{1,40}@[a-z0-9-])/g,
  ),
];

export const PRETEXT_RULES: readonly PhraseRule[] = [
  ...PERSONAL,
  ...AUTHORITY,
  ...PRETEXT,
  ...PERSUASION,
  ...FICTION,
  ...DISGUISE,
  ...DECODING,
  ...SPLITTING,
  ...JUDGING,
  ...EMBEDDED,
  ...MARKUP,
  ...EXFILTRATION,
];
