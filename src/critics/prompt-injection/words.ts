/** What injections say in large languages whose words stand apart, beside English. Data only. */

/** Words of one language, as alternatives of a regular expression; accents may be missing in the text. */
export interface Words {
  /** Ignore, forget, disregard, do not follow. */
  readonly ignore: readonly string[];
  /** Previous, all, your: what stands beside the instructions. */
  readonly previous: readonly string[];
  /** Instructions, rules, orders; prompt and message. */
  readonly instructions: readonly string[];
  /** And; say, state, answer. */
  readonly and: string;
  readonly say: readonly string[];
  /** Show, tell me, give me, what is. */
  readonly ask: readonly string[];
  readonly password: readonly string[];
  /** The system prompt, your instructions: behind or before a word of asking. */
  readonly prompt: readonly string[];
  /** You are now, from now on you, pretend to be. */
  readonly role: readonly string[];
  /** The user, the customer; and what is asked about them. */
  readonly user: readonly string[];
  readonly about: readonly string[];
}

export const SPACED: readonly Words[] = [
  {
    // German
    ignore: [
      'ignorier(?:e|en|t)?|vergiss|vergesst|vergessen sie|missachten?|beachte(?:n sie)? nicht|ubergeh(?:e|en)',
      'ubersprin(?:ge|gen)',
    ],
    previous: [
      'vorherigen?|vorigen?|bisherigen?|obigen?|fruheren?|vorangegangenen?|vorangehenden?|allen?|samtlichen?|deinen?|ihren?',
      'urspunglichen?|davor|oben',
    ],
    instructions: [
      'anweisung(?:en)?|instruktion(?:en)?|anleitung(?:en)?|befehlen?|befehle|vorgaben?|regeln?|richtlinien?|aufgaben?',
      'auftrage?|aufforderung(?:en)?|prompts?|nachrichten|kontext|gesagte',
    ],
    and: 'und',
    say: ['sage?|sagen sie|gib|geben sie|antworte|schreibe?|behaupte|erklare|nenne|konzentriere?'],
    ask: [
      'wie (?:lautet|heisst|ist)|was ist|welche[sr]? ist|sag(?:e|en sie)? mir|gib mir|geben sie mir|nenn(?:e|en sie)?',
      'verrat(?:e|en sie)?|zeig(?:e|en sie)?(?: mir)?|teil(?:e|en)?|bestatig(?:e|en)|brauche|geben|mitteilen|verraten',
      'ausgeben|wiederhole',
    ],
    password: ['passwort(?:er|es)?|kennwort|zugangscode|geheimcode|geheim(?:e[rs]?|er) (?:schlussel|code|wort)|zugangsdaten'],
    prompt: [
      'system ?prompts?|deine (?:anweisungen|regeln|instruktionen)|ihre anweisungen',
      '(?:ursprungliche|anfangliche|versteckte|geheime|interne)n? (?:anweisungen|prompts?|instruktionen)',
    ],
    role: [
      'du bist (?:jetzt|nun|ab (?:jetzt|sofort))|ab (?:jetzt|sofort) (?:bist|wirst|sollst|musst) du|tu so als',
      'stell dir vor du (?:bist|warst)|(?:handle|verhalte dich|agiere|antworte) als (?:ob|ein)',
    ],
    user: ['benutzers?|nutzers?|kunden?|anwenders?'],
    about: ['wohn(?:t|haft)|lebt|adresse|geburts(?:datum|jahr|tag)|kontostand|telefonnummer|kreditkarte|gehalt'],
  },
  {
    // French
    ignore: [
      'ignor(?:e|ez|er|ons)|oubli(?:e|ez|er)|neglig(?:e|ez|er)|ne (?:suis|suivez|tiens|tenez) (?:pas|pas compte)',
      'fais abstraction|faites abstraction|ne tenez pas compte|ne tiens pas compte',
    ],
    previous: ['precedente?s?|anterieure?s?|ci dessus|toute?s?|tous|tes|vos|initiale?s?|au dessus'],
    instructions: ['instructions?|consignes?|directives?|ordres?|regles?|messages?|prompts?|invites?|contexte|taches?'],
    and: 'et',
    say: ['dis|dites|indiqu(?:e|ez)|declar(?:e|ez)|repond(?:s|ez)|affirm(?:e|ez)|ecri(?:s|vez)|donn(?:e|ez)'],
    ask: [
      'quel(?:le)?s? (?:est|sont)|dis moi|dites moi|donn(?:e|ez|er)(?: moi)?|partag(?:e|ez|er|iez)|revel(?:e|ez|er)',
      'montr(?:e|ez|er)(?: moi)?|confirm(?:e|ez|er)|affich(?:e|ez|er)|repet(?:e|ez|er)|besoin|fourni(?:s|ssez|r)|c est quoi',
    ],
    password: ['mots? de passe|code (?:secret|d acces)|cle (?:secrete|d acces|api)|phrase secrete|identifiants de connexion'],
    prompt: [
      '(?:prompt|invite|message|instructions?) (?:du |de |de la )?(?:systeme|initiale?s?|cachee?s?|d origine|secretes?)',
      '(?:tes|vos) (?:instructions|consignes|regles|directives)|system prompt',
    ],
    role: [
      'tu es (?:maintenant|desormais)|vous etes (?:maintenant|desormais)|(?:a partir de maintenant|desormais) (?:tu|vous)',
      '(?:fais|faites) semblant|(?:agis|agissez|comporte toi|comportez vous) comme|imagin(?:e|ez) que (?:tu|vous) (?:es|etes)',
    ],
    user: ['utilisat(?:eur|rice)s?|clients?'],
    about: [
      'habite|vit|reside|adresse|date de naissance|annee de naissance|solde|numero de telephone|carte (?:de credit|bancaire)',
      'salaire',
    ],
  },
  {
    // Spanish
    ignore: [
      'ignor(?:a|e|en|ar|ad|es)|olvid(?:a|e|ar|en|ate|ese|es)|descart(?:a|e|ar)|omit(?:e|a|ir)|no (?:hagas|haga) caso',
      'no (?:sigas|siga|obedezcas)|desatiend(?:e|a)',
    ],
    previous: ['anterior(?:es)?|previ[oa]s?|precedentes?|tod[oa]s?|tus?|sus?|de arriba|iniciales|originales'],
    instructions: ['instrucci(?:on|ones)|indicaci(?:on|ones)|directrices|ordenes|reglas|normas|mensajes?|prompts?|contexto|pautas|tareas?'],
    and: 'y',
    say: ['di|diga|declar(?:a|e)|indi(?:ca|que)|respond(?:e|a)|afirm(?:a|e)|escrib(?:e|a)|muestr(?:a|e)|dile|da|dame'],
    ask: [
      'cual(?:es)? (?:es|son|seria)|dime|digame|dame|deme|compart(?:e|a|as|ir|es)|revel(?:a|e|ar)|muestra(?:me)?|muestreme',
      'confirm(?:a|e|ar)|necesito|repit(?:e|a)|imprim(?:e|a)|proporcion(?:a|e|ar)|sabes',
    ],
    password: [
      'contrasenas?|claves? (?:secreta|de acceso)|palabra (?:clave|secreta)|codigo (?:secreto|de acceso)|credenciales',
      'tu clave|la clave',
    ],
    prompt: [
      '(?:prompt|mensaje|instrucciones) (?:del? )?(?:sistema|iniciales?|originales|ocult[oa]s?|secretas?)',
      'tus (?:instrucciones|reglas|directrices)|system prompt',
    ],
    role: [
      'ahora (?:tu )?eres|a partir de ahora|de ahora en adelante|finge (?:ser|que)',
      '(?:actua|comportate|responde) como (?:si|una?)|haz de cuenta|imagina que eres',
    ],
    user: ['usuari[oa]s?|clientes?'],
    about: ['vive|reside|direccion|fecha de nacimiento|ano de nacimiento|saldo|numero de telefono|tarjeta de credito|salario'],
  },
  {
    // Italian
    ignore: ['ignor(?:a|i|are|ate|ino)|dimentic(?:a|hi|are|ate)|trascur(?:a|i|are)|non (?:seguire|tenere conto|considerare)', 'tralascia'],
    previous: ['precedent[ei]|anterior[ei]|di cui sopra|sopra|tutt[eio]|tu[eo]i?|inizial[ei]'],
    instructions: ['istruzion[ei]|indicazion[ei]|direttiv[ae]|ordin[ei]|regol[ae]|messaggi[o]?|prompt|contesto|comandi'],
    and: 'e',
    say: ['di|dì|dichiar(?:a|i)|indic(?:a|hi)|rispond(?:i|a)|afferm(?:a|i)|scriv(?:i|a)|dimmi'],
    ask: [
      'qual(?:e|i)? (?:e|è|sono)|dimmi|mi dica|dammi|mi dia|condivid(?:i|a|ere)|rivel(?:a|i|are)|mostra(?:mi)?',
      'conferm(?:a|i|are)|ho bisogno|ripeti|fornisc(?:i|a)|puoi dirmi|darmi',
    ],
    password: ['password|parola d ordine|codice (?:segreto|di accesso)|chiave (?:segreta|di accesso)|credenziali'],
    prompt: [
      '(?:prompt|messaggio|istruzioni) (?:di |del )?(?:sistema|inizial[ei]|nascost[oe]|original[ei]|segrete)',
      'tue (?:istruzioni|regole|direttive)|system prompt',
    ],
    role: ['ora sei|adesso sei|da (?:ora|adesso) in poi|fai finta|fingi di essere|comportati come|agisci come|immagina di essere'],
    user: ['utent[ei]|client[ei]'],
    about: ['vive|abita|risiede|indirizzo|data di nascita|anno di nascita|saldo|numero di telefono|carta di credito|stipendio'],
  },
  {
    // Portuguese
    ignore: [
      'ignor(?:e|a|ar|em)|esque(?:ca|cer|ce|cam)|desconsider(?:e|a|ar)|descart(?:e|ar)|nao (?:siga|obedeca|considere)',
      'desrespeite',
    ],
    previous: ['anterior(?:es)?|previ[oa]s?|precedentes?|acima|tod[oa]s?|suas?|tuas?|iniciais|originais'],
    instructions: [
      'instruc(?:ao|oes)|instruçao|indicac(?:ao|oes)|diretrizes|ordens|regras|mensage(?:m|ns)|prompts?|contexto|comandos',
      'tarefas?',
    ],
    and: 'e',
    say: ['diga|declare|indique|responda|afirme|escreva|mostre|de'],
    ask: [
      'qual (?:e|seria)|quais sao|diga(?: me)?|me diga|de me|me de|compartilh(?:e|ar|a)|revel(?:e|ar)|mostr(?:e|ar)(?: me)?',
      'confirm(?:e|ar)|preciso|repita|forne(?:ca|cer)|imprima|informe',
    ],
    password: ['senhas?|palavra passe|codigo (?:secreto|de acesso)|chave (?:secreta|de acesso)|frase secreta|credenciais'],
    prompt: [
      '(?:prompt|mensagem|instrucoes) (?:do |de )?(?:sistema|inicia(?:l|is)|ocult[oa]s?|origina(?:l|is)|secretas)',
      '(?:suas|tuas) (?:instrucoes|regras|diretrizes)|system prompt',
    ],
    role: [
      'agora voce e|voce agora e|a partir de agora|de agora em diante|finja (?:ser|que)',
      '(?:aja|comporte se|responda) como (?:se|uma?)|imagine que voce e',
    ],
    user: ['usuari[oa]s?|utilizador(?:es)?|clientes?'],
    about: ['mora|vive|reside|endereco|data de nascimento|ano de nascimento|saldo|numero de telefone|cartao de credito|salario'],
  },
  {
    // Dutch
    ignore: ['negeer|negeren|vergeet|let niet op|volg niet|sla over'],
    previous: ['vorige|voorgaande|eerdere|bovenstaande|alle|je|jouw|uw'],
    instructions: ['instructies?|aanwijzing(?:en)?|opdracht(?:en)?|regels|richtlijnen|berichten|prompts?|bevelen'],
    and: 'en',
    say: ['zeg|antwoord|schrijf|geef|verklaar|vertel'],
    ask: ['wat (?:is|zijn)|vertel(?: me)?|geef(?: me)?|deel|onthul|toon|laat|bevestig|herhaal|nodig'],
    password: ['wachtwoord(?:en)?|toegangscode|geheime (?:sleutel|code)|inloggegevens'],
    prompt: ['systeem ?prompt|system ?prompt|(?:je|jouw|uw) (?:instructies|regels)|(?:oorspronkelijke|verborgen|geheime) instructies'],
    role: ['je bent nu|u bent nu|jij bent nu|vanaf nu ben je|doe alsof|gedraag je als|stel je voor dat je'],
    user: ['gebruikers?|klant(?:en)?'],
    about: ['woont|adres|geboortedatum|geboortejaar|saldo|telefoonnummer|creditcard|salaris'],
  },
  {
    // Polish
    ignore: ['zignoruj(?:cie)?|ignoruj(?:cie)?|zapomnij|pomin|nie (?:przestrzegaj|stosuj)'],
    previous: ['poprzednie|wczesniejsze|powyzsze|wszystkie|wszelkie|swoje|twoje'],
    instructions: ['instrukcj[ei]|polecenia?|wskazowk[i]?|zasady|regu[lł]y|wytyczne|wiadomosci|prompty?|rozkazy'],
    and: 'i',
    say: ['powiedz|napisz|odpowiedz|podaj|stwierdz'],
    ask: ['jakie? (?:jest|sa)|podaj|powiedz|ujawnij|pokaz|potwierdz|udostepnij|powtorz|wyswietl|potrzebuje'],
    password: ['has[lł]o|has[lł]a|kod dostepu|tajn(?:y|e) (?:klucz|kod|haslo)|dane logowania'],
    prompt: ['prompt systemowy|systemowy prompt|(?:twoje|swoje) (?:instrukcje|zasady)|(?:ukryte|poczatkowe) instrukcje'],
    role: ['(?:teraz )?jestes teraz|od teraz (?:jestes|bedziesz)|udawaj ze|zachowuj sie jak|wyobraz sobie ze jestes'],
    user: ['uzytkownik(?:a|ow)?|klient(?:a|ow)?'],
    about: ['mieszka|adres|data urodzenia|rok urodzenia|saldo|numer telefonu|karta kredytowa'],
  },
  {
    // Russian
    ignore: [
      'игнорируй(?:те)?|проигнорируй(?:те)?|игнорировать|забудь(?:те)?|забыть',
      'не (?:следуй(?:те)?|обращай(?:те)? внимания|выполняй(?:те)?)|пренебреги(?:те)?|отбрось(?:те)?|пропусти(?:те)?',
    ],
    previous: ['предыдущ(?:ие|их|ими|ую|ее)|прежн(?:ие|их)|вышеуказанн(?:ые|ых)|выше|все|всех|свои|твои|ваши|данные'],
    instructions: [
      'инструкци(?:и|й|ю|ями)|указани(?:я|й|ями)|команд(?:ы)?|правил(?:а)?|приказ(?:ы)?|сообщени(?:я|й)|промпт(?:ы)?',
      'распоряжени(?:я|й)|задани(?:я|й|е)',
    ],
    and: 'и',
    say: ['скажи(?:те)?|напиши(?:те)?|ответь(?:те)?|заяви(?:те)?|сообщи(?:те)?|укажи(?:те)?|выведи(?:те)?'],
    ask: [
      'как(?:ой|ов|ая|ие|ово)|скажи(?:те)?|сообщи(?:те)?|дай(?:те)?|назови(?:те)?|покажи(?:те)?|раскрой(?:те)?',
      'подтверди(?:те)?|поделись|поделиться|повтори(?:те)?|нужен|нужно|что (?:за|такое)',
    ],
    password: ['парол(?:ь|я|и|ем)|кодовое слово|код доступа|секретн(?:ый|ое|ая) (?:ключ|слово|код|фраза)'],
    prompt: [
      'системн(?:ый|ое|ые|ого|ую) (?:промпт|сообщение|инструкци@{1,3}|подсказк@{1,2})',
      '(?:твои|свои|ваши) (?:инструкции|правила|указания)|(?:исходные|начальные|скрытые) инструкции',
    ],
    role: [
      'теперь ты|ты теперь|вы теперь|отныне ты|с этого момента ты|притворись|представь(?:те)? что (?:ты|вы)|веди себя как',
      'действуй как',
    ],
    user: ['пользовател(?:ь|я|и|ей|ю)|клиент(?:а|ов)?'],
    about: ['живет|проживает|адрес|дат[ау] рождения|год рождения|баланс|номер телефона|кредитн@{2,3} карт@{1,2}|зарплат[ау]'],
  },
  {
    // Ukrainian
    ignore: ['ігноруй(?:те)?|проігноруй(?:те)?|забудь(?:те)?|не (?:виконуй(?:те)?|зважай(?:те)?)'],
    previous: ['попередн(?:і|іх)|всі|усі|всіх|свої|твої|ваші|вище'],
    instructions: ['інструкці(?:ї|й|ю)|вказівк(?:и|у)|вказівок|команди?|правила|накази|повідомлення'],
    and: '(?:і|та)',
    say: ['скажи|напиши|відповідай|заяви|повідом'],
    ask: ['як(?:ий|а|е)|скажи|повідом|дай|назви|покажи|розкрий|потрібен'],
    password: ['парол(?:ь|я|і)|код доступу|секретн(?:ий|е) (?:ключ|слово|код)'],
    prompt: ['системн(?:ий|е|і) (?:промпт|повідомлення|інструкції)|(?:твої|свої) (?:інструкції|правила)'],
    role: ['тепер ти|ти тепер|відтепер ти|уяви що ти|поводься як'],
    user: ['користувач(?:а|і|ів)?|клієнт(?:а|ів)?'],
    about: ['живе|мешкає|адреса|дата народження|баланс|номер телефону'],
  },
  {
    // Greek
    ignore: ['αγνοησ(?:τε|ε)|αγνοειστε|ξεχασ(?:τε|ε)|παραβλεψ(?:τε|ε)|μην ακολουθ(?:ησετε|ησεις|ειτε)'],
    previous: ['προηγουμεν(?:ες|η|α|ων)|παραπανω|ολες|ολα|τις'],
    instructions: ['οδηγι(?:ες|α|ων)|εντολ(?:ες|η)|κανον(?:ες|ων)|μηνυματα|κατευθυνσεις'],
    and: 'και',
    say: ['πες|πειτε|δηλωσ(?:τε|ε)|απαντησ(?:τε|ε)|γραψ(?:τε|ε)'],
    ask: ['ποι(?:ος|α|ο|ες) ειναι|πες μου|πειτε μου|δωσε|δωστε|αποκαλυψ(?:τε|ε)|δειξε|δειξτε|επιβεβαιωσ(?:τε|ε)|χρειαζομαι'],
    password: ['κωδικ(?:ος|ο|ου)(?: προσβασης)?|μυστικ(?:ος|ο) (?:κωδικος|κλειδι)|συνθηματικο'],
    prompt: ['(?:προτροπη|μηνυμα|οδηγιες) (?:του )?συστηματος|(?:οδηγιες|κανονες) σου|αρχικες οδηγιες'],
    role: ['τωρα εισαι|απο τωρα και στο εξης|προσποιησου|κανε οτι εισαι|φαντασου οτι εισαι'],
    user: ['χρηστη(?:ς|ων)?|πελατη(?:ς|ων)?'],
    about: ['ζει|μενει|κατοικει|διευθυνση|ημερομηνια γεννησης|υπολοιπο|τηλεφωνο'],
  },
  {
    // Turkish
    ignore: ['yok say(?:in|iniz)?|goz ardi (?:et|edin|ediniz)|gormezden gel(?:in|iniz)?|unut(?:un|unuz)?|dikkate alma(?:yin)?', 'boş ver'],
    previous: ['onceki|yukaridaki|tum|butun|daha onceki|bundan onceki'],
    instructions: [
      'talimat(?:lar(?:i|in|ini)?|i)?|yonerge(?:ler(?:i|ini)?)?|komut(?:lar(?:i|ini)?)?|kural(?:lar(?:i|ini)?)?',
      'mesajlar(?:i)?',
    ],
    and: 've',
    say: ['soyle|de|yaz|belirt|cevap ver|yanitla'],
    ask: ['nedir|ne|soyle(?:yin)?|ver(?:in)?|paylas(?:in)?|goster(?:in)?|acikla|onayla'],
    password: ['sifre(?:n|niz|si|nizi|yi|ni)?|parola(?:n|niz|si|yi|ni)?|gizli (?:anahtar|kod)|erisim kodu'],
    prompt: ['sistem (?:istemi|mesaji|talimatlari|promptu)@{0,4}|talimatlarini|gizli talimatlar@{0,4}'],
    role: ['artik (?:sen|bir)|simdi sen|bundan sonra sen|gibi davran|miş gibi yap|rolunu (?:yap|oyna)'],
    user: ['kullanici(?:nin|lar)?|musteri(?:nin|ler)?'],
    about: ['yasiyor|oturuyor|adres@{0,3}|dogum (?:tarihi|yili)|bakiye@{0,3}|telefon numarasi'],
  },
  {
    // Arabic
    ignore: ['تجاهل(?:وا|ي)?|انس|انسى|إنس|لا تتبع|تغاض'],
    previous: ['السابقة|السابقه|أعلاه|كل|جميع|كافة|القديمة'],
    instructions: ['(?:ال)?تعليمات(?:ك)?|(?:ال)?أوامر|(?:ال)?توجيهات|(?:ال)?قواعد|(?:ال)?رسائل|(?:ال)?إرشادات'],
    and: 'و',
    say: ['و?قل|و?اكتب|و?أجب|و?اذكر|و?صرح|و?أخبر'],
    ask: ['ما (?:هي|هو)|ماهي|أخبرني|اخبرني|أعطني|اعطني|اكشف|أظهر|شارك(?:ني)?|تشارك(?:ني)?|أحتاج|أكد'],
    password: ['كلم[ةه] (?:ال)?(?:مرور|سر|سرية)|كلم[ةه] مرورك|رمز الدخول|(?:ال)?رمز (?:ال)?سري|(?:ال)?مفتاح (?:ال)?سري'],
    prompt: ['تعليمات (?:النظام|ك)|موجه النظام|رسالة النظام|تعليماتك'],
    role: ['أنت الآن|انت الان|من الآن فصاعدا|تظاهر (?:بأنك|أنك)|تصرف (?:كأنك|كما)|تخيل أنك'],
    user: ['المستخدم(?:ين)?|العميل|العملاء'],
    about: ['يعيش|يسكن|عنوان|تاريخ (?:ال)?ميلاد|رصيد|رقم (?:ال)?هاتف'],
  },
  {
    // Hindi
    ignore: ['अनदेखा कर@{0,3}|नज़रअंदाज़ कर@{0,3}|नजरअंदाज कर@{0,3}|अनदेखी कर@{0,3}|भूल जा@{0,4}|उपेक्षा कर@{0,3}|न मान@{0,4}'],
    previous: ['पिछले|पिछली|पूर्व|पहले के|पहले की|ऊपर के|ऊपर दिए गए|सभी|सारे'],
    instructions: ['निर्देशों|निर्देश|आदेशों|आदेश|नियमों|नियम|हिदायतों'],
    and: 'और',
    say: ['कह@{0,4}|बताओ|बताएं|लिख@{0,4}|बोल@{0,4}'],
    ask: ['क्या है|बताओ|बताएं|बताइए|बता|दो|दें|दीजिए|दिखाओ|साझा कर@{0,4}'],
    password: ['पासवर्ड|पासकोड|कूटशब्द|गुप्त (?:कोड|कुंजी|शब्द)'],
    prompt: ['सिस्टम (?:प्रॉम्प्ट|संदेश|निर्देश)|(?:अपने|आपके|तुम्हारे) निर्देश|छिपे (?:हुए )?निर्देश'],
    role: ['अब तुम|अब आप|अब से (?:तुम|आप)|नाटक कर@{0,4}|कल्पना कर@{0,4} कि (?:तुम|आप)'],
    user: ['उपयोगकर्ता|यूजर|ग्राहक'],
    about: ['रहता|रहती|रहते|पता|जन्म|बैलेंस|फोन नंबर'],
  },
  {
    // Vietnamese
    ignore: ['bỏ qua|quên|phớt lờ|lờ đi|không làm theo|đừng làm theo'],
    previous: ['trước đó|trước đây|trước|ở trên|tất cả|mọi|các'],
    instructions: ['hướng dẫn|chỉ dẫn|chỉ thị|lệnh|quy tắc|yêu cầu'],
    and: 'và',
    say: ['nói|trả lời|viết|tuyên bố|cho biết'],
    ask: ['là gì|cho tôi|nói cho tôi|tiết lộ|hiển thị|chia sẻ|xác nhận'],
    password: ['mật khẩu|mã bí mật|mã truy cập|khóa bí mật'],
    prompt: ['(?:lời nhắc|hướng dẫn|chỉ dẫn) (?:của )?hệ thống|hướng dẫn của bạn|hướng dẫn ban đầu'],
    role: ['bây giờ bạn là|từ bây giờ bạn|giả vờ (?:là|bạn)|đóng vai|hãy tưởng tượng bạn là'],
    user: ['người dùng|khách hàng'],
    about: ['sống|địa chỉ|ngày sinh|năm sinh|số dư|số điện thoại'],
  },
  {
    // Indonesian
    ignore: ['abaikan|lupakan|jangan (?:ikuti|hiraukan)|hiraukan'],
    previous: ['sebelumnya|di atas|semua|seluruh|terdahulu'],
    instructions: ['instruksi|perintah|petunjuk|aturan|arahan|pesan'],
    and: 'dan',
    say: ['katakan|jawab|tulis|nyatakan|sebutkan'],
    ask: ['apa(?:kah)?|beri ?tahu|berikan|beri|bagikan|ungkapkan|tunjukkan|tampilkan|konfirmasi|sebutkan'],
    password: ['kata sandi@{0,3}|sandi|kode (?:rahasia|akses)|kunci rahasia'],
    prompt: ['(?:prompt|pesan|instruksi) sistem|instruksi(?:mu| anda| awal| asli)'],
    role: [
      'sekarang (?:kamu|anda) adalah|(?:kamu|anda) sekarang adalah|mulai sekarang (?:kamu|anda)|berpura pura',
      'bertindak(?:lah)? sebagai|bayangkan (?:kamu|anda)',
    ],
    user: ['pengguna|pelanggan'],
    about: ['tinggal|alamat|tanggal lahir|tahun lahir|saldo|nomor telepon'],
  },
];
