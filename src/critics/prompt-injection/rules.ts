/**
 * What injections say in English, by technique. Weights: from 0.5 a phrase alone is reported; 0.8 is said by hardly anyone else,
 * 0.6 is sometimes said by honest people, 0.4 and less counts only beside something else. Chosen by technique and looked at on
 * labelled sets; no word of a set's own secrets stands here.
 */
import { anyOf, form, phrase, type PhraseRule } from './rule.js';

// Leaving the instructions.
const IGNORE = anyOf(
  'ignor(?:e|es|ing)|disregard(?:s|ing)?|forget(?:s|ting)?|neglect|overlook|disobey|unlearn|pay no attention to',
  '(?:do not|don t|never|stop) (?:follow(?:ing)?|obey(?:ing)?|listen(?:ing)? to|comply(?:ing)? with|adher(?:e|ing) to|pay(?:ing)? attention to)',
  'no longer (?:follow|obey|listen to|comply with)',
);
/** Said about ordinary things as well: only about the reader's own instructions they tell something. */
const UNDO = anyOf(
  'overrid(?:e|ing)|bypass(?:ing)?|circumvent|discard|dismiss|erase|delete|drop|abandon|skip|cancel|void|nullify',
  'set aside|put aside|let go of|violate|break|wipe|clear|reset|suspend|disable|replace|never ?mind',
);
const BEFORE = anyOf('previous(?:ly)?|prior|above|earlier|preceding|former|foregoing|past|initial|original|existing|system|developer');
const WHOSE = anyOf(BEFORE, 'all', 'any', 'every', 'your', 'old', 'current', 'these', 'those', 'given', 'safety', 'ethical', 'my', 'our');
const INSTRUCTIONS = anyOf('instructions?|directi(?:ves?|ons?)|prompts?|guidelines?|orders?|commands?|programming|training|rules');
const TALK = anyOf(
  INSTRUCTIONS,
  'messages?',
  'context',
  'conversations?',
  'tasks?',
  'requests?',
  'polic(?:y|ies)',
  'filters?',
  'safeguards?',
  'guardrails?',
  'restrictions?',
  'constraints?',
  'limitations?',
  'text',
  'content',
  'input',
  'sentences?',
  'statements?',
  'assignments?',
  'information',
  'questions?',
  'dialog(?:ue)?',
);

const OVERRIDE = [
  phrase('instruction_override', 0.85, `${IGNORE} ~3 ${WHOSE} ~3 ${INSTRUCTIONS}`),
  phrase('instruction_override', 0.8, `${IGNORE} ~3 ${anyOf(BEFORE, 'your')} ~3 ${TALK}`),
  phrase('instruction_override', 0.7, `${IGNORE} ~2 ${INSTRUCTIONS} ~3 ${anyOf(BEFORE, 'given', 'told', 'received', 'before')}`),
  phrase(
    'instruction_override',
    0.6,
    `${UNDO} ~1 (?:all )?(?:of )?${anyOf('your|previous|prior|preceding|earlier|foregoing')} ~3 ${INSTRUCTIONS}`,
  ),
  phrase(
    'instruction_override',
    0.6,
    `${UNDO} ~1 (?:all )?(?:of )?your ~3 ${anyOf('restrictions?|safeguards?|guardrails?|filters?|polic(?:y|ies)|limitations?|constraints?')}`,
  ),
  phrase(
    'instruction_override',
    0.6,
    `${UNDO} ~1 (?:all )?(?:of )?your ~1 ${anyOf('safety|ethical|ethics|moral|content|moderation|alignment')} ~1 ${anyOf('protocols?|measures?|mechanisms?|features?|settings?|checks?|systems?|controls?|programming|training|rules|layers?')}`,
  ),
  phrase(
    'instruction_override',
    0.7,
    `${IGNORE} ~1 ${anyOf('everything|anything|all|whatever|what')} ~4 ${anyOf('above|before|previously|prior|so far|told|said|instructed|learn(?:ed|t)|taught|asked|written')}`,
  ),
  phrase(
    'instruction_override',
    0.6,
    `${IGNORE} (?:all )?(?:of )?(?:the )?${anyOf('above|foregoing|aforementioned|preceding|previous|prior')}`,
  ),
  phrase('instruction_override', 0.3, '(?:forget|never ?mind|scratch) (?:about )?(?:that|this|it)'),
  phrase(
    'instruction_override',
    0.6,
    `(?:regardless|irrespective|instead|independent(?:ly)?|despite|notwithstanding|contrary) (?:of |to )?(?:following )?(?:what )?(?:all |any |the |of )*${anyOf(BEFORE, 'your')} ~2 ${TALK}`,
  ),
  phrase(
    'instruction_override',
    0.6,
    `(?:your|the) (?:new|real|actual|true|updated|only) ${anyOf('tasks?|instructions?|goals?|jobs?|purpose|roles?|objectives?|mission')} (?:is|are|now|will be)`,
  ),
  phrase(
    'instruction_override',
    0.45,
    '(?:new|updated|revised|additional|important|special|urgent|secret) instructions?(?: from ~3 (?:admin|system|developer|user|owner|operator)\\w{0,10})?(?! manual)',
  ),
  form('instruction_override', 0.45, /(?<![a-z])(?:new|updated|revised|override|priority|urgent) (?:system )?directives?[*_]{0,3} ?:/g),
  // What follows is done with data or said at once: news of a product announce instructions, too.
  form(
    'instruction_override',
    0.6,
    /(?<![a-z])(?:new|updated|revised) (?:system )?(?:instructions?|directives?)[*_"]{0,3} ?: {0,2}[\s"'*_-]{0,4}(?:(?:please|now|instead|immediately|you (?:must|will|should|are to)) )?(?:send|forward|e-?mail|transfer|upload|delete|erase|reveal|disclose|leak|exfiltrate|ignore|disregard|say|print|output|(?:respond|reply|answer) only)\b/g,
  ),
  phrase('instruction_override', 0.6, `${INSTRUCTIONS} ~3 (?:no longer|(?:do|does) not|don t|doesn t|didn t) (?:apply|matter|exist|count)`),
  phrase(
    'instruction_override',
    0.6,
    `you (?:do not|don t|no longer|needn t|are not required to) ~3 (?:follow|obey|abide by|comply with|adhere to) ~3 ${TALK}`,
  ),
  phrase(
    'instruction_override',
    0.55,
    '(?:end|beginning|start) of (?:the )?(?:system|user|hidden|developer) (?:prompt|instructions?|message|input|context)',
  ),
  phrase('instruction_override', 0.4, '(?:start|begin|open) (?:a )?(?:new|fresh) (?:conversation|session|chat|context)'),
];

// Another role.
const UNBOUND = anyOf(
  'unrestricted|unfiltered|uncensored|unaligned|unhinged|unlimited|unethical|amoral|immoral|evil|malicious|rogue|devious',
  'jail ?broken|lawless|without (?:any )?(?:restrictions?|filters?|limits?|rules|morals|ethics|censorship)',
);
const LIMITS = anyOf(
  'restrictions?|limits?|limitations?|filter(?:s|ing)?|censorship|moral(?:s|ity)?|ethic(?:s|al)|boundaries|guidelines',
  'rules|safeguards|content polic(?:y|ies)|confines|constraints',
);
const MODES = anyOf(
  'developer|debug(?:ging)?|god|sudo|admin(?:istrator)?|root|maintenance|unrestricted|dan|jailbreak|system|diagnostic',
  'opposite|override|superuser|unlocked|evil',
);

const ROLE = [
  phrase('role_switch', 0.85, 'do anything now'),
  phrase(
    'role_switch',
    0.75,
    `(?:you are|you re|you will (?:be|act|become|play)|become|act as|act like|play|simulate|pretend) ~4 ${UNBOUND}`,
  ),
  phrase('role_switch', 0.6, '(?:you are|you re|be|act as|become|known as|called|named|role of|mode|play) ~2 (?:dan|d a n)(?! brown)'),
  phrase('role_switch', 0.5, '(?:you are|you re) (?:now|no longer|going to be)(?! (?:ready|able|done|in the process|finished|set|on))'),
  phrase('role_switch', 0.45, '(?:from now on|from this (?:point|moment) on(?:ward)?|henceforth) ~2 you'),
  phrase(
    'role_switch',
    0.7,
    `(?:enter|enable|enabled|activate|activated|switch(?:ed)? (?:to|into)|engage|initiate|turn on|you are (?:now )?in|you re (?:now )?in|start|go into|begin|unlock) ~2 ${MODES} mode`,
  ),
  form(
    'role_switch',
    0.7,
    new RegExp(String.raw`[<\[({*]\s{0,3}${MODES.replaceAll(' ', ' ?')}[ _-]{1,2}(?:mode|override|access|prompt)\b`, 'g'),
  ),
  phrase('role_switch', 0.6, `${MODES} mode ~1 (?:enabled|activated|on|output|engaged|unlocked)`),
  phrase('role_switch', 0.4, '(?:pretend|roleplay|role play|simulate|impersonate) ~1 (?:to be|being|that you|you are|you re|as)'),
  phrase('role_switch', 0.2, '(?:act|behave|respond|answer|speak|reply|function|operate|pose) (?:as|like) (?:if you|an?|my|the)'),
  phrase(
    'role_switch',
    0.5,
    '(?:immerse yourself|take on|assume|adopt|step|slip) ~3 (?:the )?(?:role|persona|identity|character) of (?:an?|another|the) ~2 (?:ai|model|bot|assistant|chatbot|machine)',
  ),
  phrase('role_switch', 0.5, '(?:stay|remain|always be) in character|(?:do not|don t|never) (?:ever )?break (?:the )?character'),
  phrase(
    'role_switch',
    0.6,
    `(?:you|it|they|he|she|that|which|who|ai|model|assistant|bot|and) (?:has|have|had|with|is|are|am) (?:absolutely )?(?:no|not bound by|free (?:of|from)|freed from|without) (?:any |all |your |the |special |openai s? )*~1 ${LIMITS}`,
  ),
  phrase(
    'role_switch',
    0.6,
    `(?:broken?|break(?:ing)?|free(?:d)?|liberated|released|escaped?) (?:free )?(?:of|from) ~4 ${anyOf(LIMITS, 'programming', 'control')} (?:of ai|that|and|you|imposed)`,
  ),
  phrase(
    'role_switch',
    0.6,
    `(?:answer|respond|reply|speak|act|talk|generate|comply|do) ~4 without (?:any |your |the |regard for )*~1 ${LIMITS}`,
  ),
  phrase('role_switch', 0.6, '(?:you have|you ve) been (?:freed|liberated|released|unlocked|hacked|pwned|jailbroken|reprogrammed)'),
  phrase(
    'role_switch',
    0.5,
    '(?:never|not|cannot|can t|don t|won t) (?:ever )?(?:refuse|decline|reject|say no to) ~4 (?:request|prompt|question|command|order|instruction)s?',
  ),
  phrase(
    'role_switch',
    0.45,
    '(?:two|both|2) (?:different )?(?:responses|answers|ways|paragraphs) ~5 (?:one|first|normal|classic|standard|gpt|chatgpt)',
  ),
  phrase(
    'role_switch',
    0.45,
    '(?:evil|alternate|alter|second|true|opposite) (?:twin|ego|persona|personality|confidant|version of (?:you|yourself))',
  ),
];

// Asking for the instructions.
const TELL = anyOf(
  'reveal|show|display|print|output|repeat|reproduce|recite|tell|give|share|list|send|write|return|provide|expose|leak',
  'disclose|copy|paste|dump|read|quote|echo|spell|describe|explain|summari[sz]e|translate|paraphrase|encode',
  'what (?:is|are|was|were|s)|know|see',
);
const SECRET_KINDS = anyOf(
  'system|initial|original|hidden|secret|internal|confidential|exact|full|complete|entire|first|base|pre|underlying',
  'developer',
);
const PROMPT = anyOf('prompts?|instructions?|messages?|guidelines?|directives?|rules|configuration|programming|preamble|polic(?:y|ies)');

const EXTRACTION = [
  phrase('prompt_extraction', 0.8, `${TELL} ~3 your ~1 ${SECRET_KINDS} ~2 ${PROMPT}`),
  phrase(
    'prompt_extraction',
    0.65,
    `${anyOf('reveal|print|output|repeat|recite|show me|tell (?:me|us)|give (?:me|us)|share|list|leak|disclose|dump|write out', 'what (?:is|are|were|s)')} ~2 your ~1 ${PROMPT}`,
  ),
  phrase(
    'prompt_extraction',
    0.65,
    `${anyOf('reveal|print|output|repeat|recite|show(?: me)?|tell (?:me|us)|give (?:me|us)|leak|disclose|dump|what (?:is|was|s)')} ~2 (?:the|this|its) ~1 (?:system prompt|system message|(?:hidden|secret|confidential|initial|system|developer) (?:instructions?|prompt|message))`,
  ),
  phrase(
    'prompt_extraction',
    0.7,
    '(?:repeat|print|output|copy|recite|echo|reproduce|say|write|type|return|display|show me) ~2 (?:everything|all|text|words?|lines?|contents?|messages?|sentences?|paragraphs?|conversation|instructions?|prompt) ~2 (?:above|before this|prior to this|preceding|that (?:came|comes) before|you (?:were|have been) (?:given|told))',
  ),
  phrase('prompt_extraction', 0.8, '(?:start|begin)(?:s|ing)? ~2 with ~4 you are (?:an?|chatgpt|gpt|claude|the)'),
  phrase(
    'prompt_extraction',
    0.6,
    'what ~1 (?:were|was|did|have|are) ~3 (?:you|they) ~3 (?:told|instructed|programmed|given|ordered|say|tell you) ~3 (?:to|before|not|about|earlier|above)',
  ),
  phrase('prompt_extraction', 0.4, 'verbatim|word for word'),
];

// Passwords and secrets.
const PASSWORD = anyOf(
  'passwords?|pass ?codes?(?: phrases?)?|pass ?phrases?|pass ?keys?',
  'secret (?:keys?|codes?|phrases?|words?|tokens?|numbers?|message)|access (?:codes?|keys?|tokens?)|api keys?',
  'private keys?|credentials|login (?:details|info(?:rmation)?|credentials)|security codes?|encryption keys?',
  'pin (?:code|number)',
);
const YOUR_SECRET = anyOf(PASSWORD, 'secrets?', 'pin', 'key ?phrase', 'magic word', 'flag', 'code ?word');
/** Advice not to do so, and orders to a model to keep its secret, are no requests. */
const NOT_FORBIDDEN = '(?<!(?:never|not|avoid|without|n t|against|to) )';
const GIVE = `${NOT_FORBIDDEN}${anyOf('tell|give|show|send|share|sharing|reveal|provide|disclose|confirm|say|print|output|write|spell|repeat|leak|hand over', 'know|need|want|have|guess|decode|encode|ask(?:ed)? for')}`;
/** What is asked about passwords in general. */
const NOT_GENERAL =
  '(?! (?:polic|hash|manag|field|reset|length|strength|require|rule|generator|crack|protect|complex|storage|encrypt|based|prompt|input|column|is (?:required|incorrect|invalid|correct|stored)))';

const CREDENTIALS = [
  phrase(
    'credential_request',
    0.65,
    `${GIVE} (?:to |with )?(?:me |us )?(?:what |out |about )?(?:is )?(?:your|ur) (?:own |secret |system |admin |current |real |new |first |last |\\w{1,12} )?${YOUR_SECRET}${NOT_GENERAL}`,
  ),
  phrase(
    'credential_request',
    0.65,
    `(?:what|which) ~1 (?:is|are|s|was|were|would|could|might|be) ~1 (?:your|ur) ~2 ${YOUR_SECRET}${NOT_GENERAL}`,
  ),
  phrase(
    'credential_request',
    0.6,
    `(?:tell|give|show|send|reveal to|share with) (?:me|us) ~1 (?:the|that|this|our) ~2 ${PASSWORD}${NOT_GENERAL}`,
  ),
  phrase(
    'credential_request',
    0.55,
    `(?:what|whats) (?:is|s|was|are) (?:the|our) (?:\\w{1,16} )?${PASSWORD}(?! (?:for (?:an?|my)|of an?))${NOT_GENERAL}`,
  ),
  phrase(
    'credential_request',
    0.6,
    `(?:need|want|require|like|ask|order|command) you to ~3 (?:confirm|tell|share|provide|reveal|give|say|verify|disclose) ~3 ${PASSWORD}${NOT_GENERAL}`,
  ),
  phrase(
    'credential_request',
    0.6,
    `(?:can|could|would|will) you ~3 (?:confirm|tell|share|provide|reveal|give|say|disclose|repeat|spell) ~3 (?:the|our|that) ~1 ${PASSWORD}${NOT_GENERAL}`,
  ),
  phrase(
    'credential_request',
    0.6,
    `(?:poem|haiku|song|story|acrostic|rap|riddle|limerick|joke|essay|sonnet|sentence) ~5 (?:about|with|containing|using|hiding|of|where|including) ~1 (?:the|your) ~1 ${PASSWORD}`,
  ),
  phrase(
    'credential_request',
    0.6,
    `(?:write|spell|encode|put|say|print|output|reverse|translate|type) (?:out )?(?:the|your) ~1 ${PASSWORD} ~2 (?:in|as|using|with|backwards|letter|into|but|twice|without)`,
  ),
  phrase(
    'credential_request',
    0.6,
    `(?:letters?|characters?|digits?|words?|half|parts?|length|hints?|clues?|synonyms?|rhymes?) ~1 (?:of|in|about|to|for|with) (?:the|your) (?:secret |admin |system )?${PASSWORD}${NOT_GENERAL}`,
  ),
  phrase('credential_request', 0.5, `(?:if|whether|does|is) your ${PASSWORD}`),
  phrase('credential_request', 0.5, '(?:full |complete )?access (?:to|into) your account'),
  // "…passwords for our system. Can you confirm ours?"
  form(
    'credential_request',
    0.55,
    /\b(?:passwords?|passcodes?|secrets?|credentials)\b[^?]{1,80}\b(?:confirm|tell me|share|give me|what is|what s) (?:ours|yours)\b/g,
  ),
];

export const REQUEST_RULES: readonly PhraseRule[] = [...OVERRIDE, ...ROLE, ...EXTRACTION, ...CREDENTIALS];
