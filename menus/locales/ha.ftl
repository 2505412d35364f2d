### Hausa. DRAFT: not yet reviewed by a native reader.
### The hooked letters are not in GSM-7: they are written b, d, k and y. The reader is addressed in the plural, which fits women and men alike.

## Screens

welcome =
    { $partner } na son karanta { $data } naku domin "{ $purpose }", na { $days ->
        [one] kwana { $days }
       *[other] kwanaki { $days }
    }. Kun yarda?
welcome-again =
    { $partner }: sake hada tsohon asusu, a karanta { $data } domin "{ $purpose }", { $days ->
        [one] kwana { $days }
       *[other] kwanaki { $days }
    }.
partners = Domin wane kamfani kuke hadawa?
no-partner = Babu kamfanin da ke neman asusu a nan yanzu. Kira lambar da kamfani ya ba ku.
needs-login = { $bank } { $account }: ku sake shiga, ko { $partner } ba zai ga sabon abu ba.
needs-login-elsewhere = { $bank } { $account } na bukatar sake shiga, ba a wannan waya ba. Tambayi { $partner }.
ends-soon =
    { $partner } na duba { $data } a { $bank } { $account } don "{ $purpose }". Kare { $until }. { $days ->
        [one] kwana { $days }
       *[other] kwanaki { $days }
    } daga yau?
asked-again =
    { $partner }: ku sake shiga { $bank } { $account } domin "{ $purpose }": { $data }, { $days ->
        [one] kwana { $days }
       *[other] kwanaki { $days }
    }.
languages = Zabi harshe:
banks = Zabi banki, ko rubuta sunansa:
methods = { $bank }: yaya kuke shiga?
warning = Abin da kuka rubuta a nan ba sirri ba ne: layinku na iya karantawa. Ci gaba da { $bank }?
field = { $bank }: { $field }
field-choice = { $field }:
accounts = { $bank }: wane asusu?
accounts-many = { $bank }: wadanne? (1,3)
checking = { $bank } na duba bayananku (dak. { $seconds }).
open-page = Don shiga { $bank }, bude mahadar SMS: minti { $minutes } ya rage.
open-page-approve = Don amincewa { $bank }, bude mahadar SMS: minti { $minutes }.
approve-elsewhere =
    Ku amince a manhajar { $bank }.
    { $message }
waiting = { $bank } na aiki a kai. Zai iya daukar mintuna.
confirming = { $bank } bai amsa ba. Muna binciken abin da ya faru. Kada ku sake shiga tukuna.
unconfirmed = { $bank } bai tabbatar ba. Ba a hada komai ba.
request-over = { $partner } ya soke wannan bukata. Ba a hada komai ba.
mismatched = Wannan ba asusun { $bank } da { $partner } ya nema ba ne. Ba a hada shi ba.
other-account = Wannan ba asusun { $bank } da kuka zaba ba ne. Ba a hada shi ba.
refused = { $bank } bai karbi bayanan ba, ko ba ya aiki. Ku duba su da kyau.
denied = { $bank } ya ce ba ku amince ba. Ba a hada komai ba.
act-at-bank = { $bank }: { $message }
password-expired = { $bank } na son sabuwar kalmar sirri. Zabe ta a banki, sai a sake.
unavailable = { $bank } ba ya aiki yanzu. Ba a aika komai ba.
unsuited = { $bank } na neman abin da wannan waya ba ta iya yi.
limited = Don kare shiga { $bank }, ku jira minti { $minutes } kafin ku sake gwadawa.
bank-down = { $bank } ba ya amsawa yanzu. A gwada anjima.
bank-busy = { $bank } na da cunkoso. Gwada bayan minti { $minutes }.
will-text = Za mu aika muku sako daya idan ya dawo. Idan bai dawo cikin awa 24 ba, ba sako.
texts-stopped = Kun nemi kada mu aika muku sako. Ku aika START zuwa lambar da kuka aika wa STOP, sannan ku sake nema a nan.
no-banks = Ba a samu jerin bankuna yanzu ba.
no-way = Ba a iya hada asusu a wannan layi. Ba a aika komai ba. Ku tambayi { $partner } wata hanya.
resume = Ci gaba da { $bank }?
news = An hada { $bank } { $account } da { $partner }.
links = Asusun da kuka hada:
links-some-unused = Asusunka (saura { $count }: sake hada su):
no-links = Ba ku hada wani asusu ba.
links-unused = Asusun da aka dade ba a yi amfani da su: { $count }. Don gani ko dakatarwa, sake hadawa, ko tambayi kamfani.
link = { $bank } { $account } da { $partner } har { $until }.
link-needs-login = { $bank } { $account } da { $partner } har { $until }. A sake shiga.
unlink = A cire { $bank } { $account }? { $partner } ba zai sake ganinsa ba.

pin = Rubuta lambarka ta sirri (4). Ka manta? Koma baya ka sake hada asusun nan.
choose-pin = Zabi lambar sirri ta haruffa 4. Za a tambaye ta kafin a nuna asusunka a wannan waya.
pin-locked = Kuskure ya yi yawa. Jira minti { $minutes } ka sake kira.

linked = An gama! An hada { $bank } { $account } da { $partner }. Sake kira don gani ko cirewa.
linked-twice = An gama! An hada { $bank } { $account } da { $partner }. An taba hada shi: sake kira don ganin su biyu.
renewed = An gama! An sabunta { $bank } { $account } ga { $partner }.
consent-renewed = { $partner } na iya karanta { $bank } { $account } har { $until }. Sake kira don dakatarwa.
unlinked = An cire { $bank } { $account }. { $partner } ba zai sake ganinsa ba.
blocked = Ba za mu iya hada { $bank } yanzu ba. Ku gwada gobe.
left = Sai an jima. Sake kira a kowane lokaci don ci gaba.
left-checking = Muna ci gaba da tambayar { $bank }. Sake kira bayan mintuna kadan don ganin sakamako.

## Options

agree = Na yarda, zabi banki
my-accounts = Asusuna
language = Harshe
leave = Fita
not-now = Ba yanzu ba
back = Koma
more = Kari
business = Kasuwanci
others = Sauran kasuwanci
go-on = Ci gaba
check-again = Sake dubawa
send-again = Sake turawa
start-again = Fara sabo
try-again = Sake gwadawa
another-bank = Wani banki
text-me = Turo sako in ya dawo
link-another = Hada wani banki
link-now = Hada banki
reauthorise = Sake shiga
keep-sharing = Ci gaba da rabawa
stop-sharing = Dakatar yanzu
unlink-option = Cire
unlink-yes = I, a cire
protect = Lambar sirri

## Notes, shown above a screen once

note-choice = Ku zabi daga jerin.
note-not-found = Ba a samu irin wannan banki ba.
note-digits = Ku yi amfani da lambobi kawai.
note-date = Rubuta kwanan wata da lambobi 8: rana, wata, shekara.
note-pattern = Bankinku bai karbi wannan ba. Ku duba.
note-letters = Ku yi amfani da haruffa da lambobi kawai.
note-length =
    Dole ya zama da { $length ->
        [one] harafi { $length }
       *[other] haruffa { $length }
    }.
note-too-long = Ya yi tsawo.
note-empty = Ku rubuta amsa.
note-wrong-code = Ba daidai ba. Saura gwaji { $left }.
note-by-sms = Idan lambar za ta zo ta SMS: fita, karanta, sake kira.
note-code = Wannan lambar ba ta aiki yanzu.
note-codes = Kun yi kuskuren lamba da yawa. Sake gwadawa bayan awa daya.
note-ask-again = Ba a aika ba. Ku sake rubutawa.
note-session-ended = Zaman bankin ya kare. Ku sake rubutawa.
note-once-more = { $bank } na sake neman bayanan.
note-star = Idan akwai * a ciki, ku sake rubutawa.
note-back = Ya dawo yanzu.
note-changed = { $bank } na neman wasu bayanai. Ku fara sabo.
note-pin = Ba daidai ba. Saura: { $left }.
note-pin-digits = Dole ta zama lambobi 4.
note-pin-easy = Tana da saukin ganewa. Zabi wata.
note-pin-login = Ka fara sake shiga (1), sannan ka kira cikin minti 15 don zabar lamba.
note-pin-off = Babu wannan a nan.
note-removed = Ana cire wannan asusu.
note-no-text = Ba a rubuta ba. A sake gwadawa.
note-link-sent = Mun sake tura mahadar.
note-link-soon = Yanzu aka tura ta. Ku jira minti daya.
note-no-more = Babu wasu asusu kuma.
note-not-now = Ba zai yiwu ba yanzu. A gwada anjima.

## Answers of last resort

busy = Aiki ya yi yawa. Sake kira bayan minti daya.
sorry = An samu matsala a wurinmu. Ku sake kira.
unreadable = Haruffa da lambobi kawai. Ku sake kira.
too-long = Ya yi tsawo. Ku sake kira.
too-many = An gwada sau da yawa. Ku jira minti daya, sannan ku sake kira.
elsewhere = Kun sake kira da wannan lamba. Ku ci gaba a can.
elsewhere-by-text = Kun ci gaba ta sako. Ku ci gaba a can, ko ku sake kira.
expired = Lokaci ya kare. Ku sake kira don ci gaba.
no-service = Ba a yi wa wannan lamba hidima a nan.

## Text messages, one part each: other people may read them, so they name no bank and no number

sms-linked = { $partner }: an hada asusunka. Don gani ko cirewa, kira { $dial }
sms-not-linked = { $partner }: ba a hada asusu ba. Don ganin dalili da sake gwadawa, kira { $dial }
sms-mismatched = { $partner }: ba asusun da aka nema ba ne. Ba a hada komai ba. Don taimako, kira { $dial }
sms-question = { $partner }: bankinka na neman karin bayani. Don amsawa, kira { $dial } cikin minti 15.
sms-approve = { $partner }: ku amince da bukatar a manhajar bankinku. Don ci gaba, kira { $dial }
sms-page-link = { $partner }: don hada asusunku bude { $url } Kada ku ba kowa.
sms-bank-back = { $partner }: bankin da kuka nema ya dawo. Don ci gaba, kira { $dial }
sms-ends-soon = { $partner }: izinin karanta bayanan asusunku zai kare nan ba da dadewa ba. Don ci gaba ko dakatarwa, kira { $dial }
sms-ended = { $partner } ba zai sake karanta bayanan asusunku ba: lokacin da kuka yarda ya kare. Don sake hadawa, kira { $dial }
sms-asked = { $partner } na neman ku hada asusun bankinku. Kira { $dial }

## Texts that answer texts, one part each; those that stand for a screen leave room for a key to go back

sms-help = { $partner }: don hada asusun banki aika LINK ko kira { $dial }. Don ci gaba aika CIGABA. Aika STOP don daina samun sako.
sms-help-stopped = { $partner }: don hada asusun banki aika LINK ko kira { $dial }. Aika START don sake samun sako.
sms-stop = Ba za ku sake samun sako daga { $partner } ba. Aika START don sake samu.
sms-start = Za ku sake samun sako daga { $partner }. Aika STOP don dainawa. Don hada asusu aika LINK ko kira { $dial }.
sms-hint = Don hada asusun banki da { $partner } aika LINK ko kira { $dial }. Kada ku aika kalmar sirri ko lamba. Aika HELP don taimako.
sms-elsewhere = Kun kira { $dial }. Ku ci gaba a can; ko ku kashe, ku jira minti daya, ku aika LINK.
sms-lost = Yi hakuri, ba a gane ba. Aika LINK don sake farawa, ko kira { $dial }.
sms-too-many = Sakonni sun yi yawa. Ku jira minti daya, sannan aika LINK ko kira { $dial }.
sms-checking = { $partner }: muna tambayar bankinku, za mu aiko da amsa.
sms-dial = Ba a aika kalmar sirri ko lamba ta sako, ba a ajiye ba. Don ci gaba kira { $dial } cikin minti 15.
sms-left = Sai an jima. Don ci gaba aika CIGABA ko kira { $dial } a kowane lokaci.
sms-own-code = Ba a aika lambar sirrinku ta sako, ba a ajiye ba. Kira { $dial } ku buga ta a can.
sms-accounts = Ba a nuna asusunku ta sako: wasu na iya karantawa. Don gani ko canzawa, kira { $dial }
sms-phone-only = An aiko da lambobi marasa daidai da yawa. Har zuwa awa 24 sai ta waya kawai za ku yarda: kira { $dial }
sms-limited = Don kare shigarku, ku jira minti { $minutes } kafin ku sake gwadawa.
sms-approve-elsewhere =
    Ku amince a manhajar bankinku.
    { $message }

## Small words

account-savings = Ajiya
account-current = Na yau da kullum
account-other = Asusu
more-accounts = Wasu asusu
approve-code = Lamba { $code }
bank-first = ku fara yin abin da bankin ya nema.
your-bank = bankinku
date-format = RRWWSSSS
data-account = asusun banki
data-balance = ragowar kudi
data-transactions = shige da fice
data-identity = suna
bank-slow = { $bank } (a hankali)
bank-away = { $bank } (ba yanzu ba)
bank-needs-login = { $bank } (a sake shiga)

## Pages in a browser, that an SMS leads to

page-go-title = Ci gaba zuwa bankinka
page-go = A shafi na gaba za ka shiga ka amince. Abin da ka rubuta a can ba ya zuwa wurinmu.
page-go-button = Ci gaba
page-back-title = Koma wayarka
page-back = Ka gama a nan: rufe wannan shafi. Wayarka za ta sanar da kai sakamako. Za ka iya sake kira don gani.
page-over-title = Wannan shafi ya kare
page-over = An riga an yi amfani da shi, ko lokacinsa ya kare. Sake kiran gajeren lambar a wayarka don ci gaba.
page-later-title = Ba yanzu ba
page-later = Ba a iya bude wannan shafi yanzu. Sake gwadawa bayan minti daya.
