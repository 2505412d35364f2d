### Hausa. DRAFT: not yet reviewed by a native reader.
### The hooked letters are not in GSM-7: they are written b, d, k and y. The reader is addressed in the plural, which fits women and men alike.

## Screens

welcome =
    { $partner } na son ganin { $data } naku domin "{ $purpose }", { $days ->
        [one] kwana { $days }
       *[other] kwanaki { $days }
    }. Ba zai iya cire kudi ba. Za a shiga banki.
welcome-again =
    { $partner }: sake hada tsohon asusu, a karanta { $data } domin "{ $purpose }", { $days ->
        [one] kwana { $days }
       *[other] kwanaki { $days }
    }.
partners = Wane kamfani ne ya turo ku?
no-partner = Babu kamfanin da ke neman asusunku yanzu. Ku kira lambar da kamfani ya ba ku.
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
languages = Ku zabi harshe:
banks = Ku zabi banki, ko ku rubuta sunansa:
methods = { $bank }: wanne kuke amfani da shi?
field = { $bank }: { $field }
field-warned =
    Abin da kuke rubutawa ba sirri ba ne: kamfanin waya na iya gani.
    { $bank }: { $field }
field-choice = { $bank }: { $choice }
accounts = { $bank }: wane asusu?
accounts-many = { $bank }: wadanne? (1,3)
checking = { $bank } na duba bayananku (dakika { $seconds }).
open-page = Don shiga { $bank }, bude mahadar SMS: minti { $minutes } ya rage.
open-page-approve = Don amincewa { $bank }, bude mahadar SMS: minti { $minutes }.
approve-elsewhere =
    Ku amince a manhajar { $bank }.
    { $message }
waiting = { $bank } na aiki a kai. Zai iya kai { $wait }.
confirming = { $bank } bai amsa ba tukuna. Muna tambaya, har { $wait }. Kada ku sake shiga a can yanzu.
confirming-text = { $bank } bai amsa ba tukuna. Muna tambaya, har { $wait }, sannan sako zai zo. Kada ku sake shiga a can yanzu.
unconfirmed = Ba mu ji daga { $bank } ko ya yi ba. Ba a hada komai ba.
request-over = { $partner } ya soke wannan bukata. Ba a hada komai ba.
mismatched = Wannan ba asusun { $bank } da { $partner } ya nema ba ne. Ba a hada shi ba.
other-account = Wannan ba asusun { $bank } da kuka zaba ba ne. Ba a hada shi ba.
refused = { $bank } bai bari ba: wani abu ba daidai ba, ko bankin ba ya aiki. Saura gwaji { $left }.
refused-wait = { $bank } bai bari ba. Don kada banki ya rufe ku, ku jira { $wait }.
refused-help = { $bank } bai bari ba. Ku jira { $wait }.
refused-codes = { $bank }: lamba ba daidai ba sau uku. Mun tsaya don kada banki ya rufe ku. Ba a hada komai ba.
denied = { $bank } ya ce ba ku amince ba. Ba a hada komai ba.
act-at-bank = { $bank }: { $message }
password-expired = { $bank } na son sabuwar kalmar sirri. Zabe ta a banki, sai a sake.
unavailable = { $bank } ba ya aiki yanzu. Ba a aika komai ba.
unsuited = { $bank } na neman abin da wannan waya ba ta iya yi.
limited = Don kare asusunku na { $bank }, ku jira { $wait } kafin ku sake gwadawa.
bank-down = { $bank } ba ya amsawa yanzu. A gwada anjima.
bank-busy = { $bank } na da cunkoso. Gwada bayan { $wait }.
will-text = Za mu aika muku sako daya idan ya dawo. Idan bai dawo cikin awa 24 ba, ba sako. Menu: { $dial }
texts-stopped = Kun nemi kada mu aika muku sako. Ku aika START zuwa lambar da kuka aika wa STOP, sannan ku kira { $dial }
no-banks = Ba a samu jerin bankuna yanzu ba.
no-way = Ba a iya hada asusu a wannan layi. Ba a aika komai ba. Ku tambayi { $partner } wata hanya.
resume = Kun fara hada { $bank }. A ci gaba?
news = An hada { $bank } { $account } da { $partner }.
links = Asusun da kuka hada:
links-some-unused = Asusunka (saura { $count }: sake hada su):
no-links = Ba ku hada wani asusu ba.
links-unused = Asusun da aka dade ba a yi amfani da su: { $count }. Don gani ko dakatarwa, sake hadawa, ko tambayi kamfani.
link = { $bank } { $account } da { $partner } har { $until }.
link-needs-login = { $bank } { $account } da { $partner } har { $until }. A sake shiga.
unlink = A raba { $bank } { $account } da { $partner }? Ba zai sake ganinsa ba.

pin = Ku rubuta lambobi 4 da kuka zaba a nan, ba PIN na banki ba. Kun manta? Ku koma, ku sake hada asusun nan.
choose-pin = Ku zabi sababbin lambobi 4 don boye asusunku a wannan waya. Kada ku sa PIN na banki.
choose-pin-warned =
    Abin da kuke rubutawa ba sirri ba ne: kamfanin waya na iya gani.
    Ku zabi sababbin lambobi 4 don boye asusunku a wannan waya. Kada ku sa PIN na banki.
choose-pin-again = Ku sake rubuta lambobin nan 4.
pin-locked = Kuskure ya yi yawa. Ku jira { $wait }, ku sake kira { $dial }

linked = An gama! An hada { $bank } { $account } da { $partner }. Ku kira { $dial } don gani ko rabawa.
linked-twice = An gama! An hada { $bank } { $account } da { $partner }. An taba hadawa. Ganin biyun: { $dial }
renewed = An gama! An sabunta { $bank } { $account } ga { $partner }. Menu: { $dial }
consent-renewed = { $partner } na iya karanta { $bank } { $account } har { $until }. Ku kira { $dial } don dakatarwa.
unlinked = An raba { $bank } { $account } da { $partner }. Ba zai sake ganinsa ba. Menu: { $dial }
blocked = Ba za mu iya hada { $bank } yanzu ba. Ku gwada gobe. Menu: { $dial }
left = Sai an jima. Ku kira { $dial } a kowane lokaci don ci gaba.
left-code = Sai an jima. Idan kun ga lambar, ku kira { $dial } ku rubuta ta.
left-checking = Muna tambayar { $bank }. Ku kira { $dial } bayan mintuna kadan don ganin sakamako.
left-asking = Muna tambayar { $bank }, har { $wait }. Don ganin sakamako, ku kira { $dial }
left-asking-text = Muna tambayar { $bank }, har { $wait }, sannan za mu aiko sako. Ko ku kira { $dial }

## Options

agree = Na yarda
my-accounts = Asusuna
language = { $languages }
leave = Fita
not-now = Ba yanzu ba
back = Koma
more = Kari
business = Kasuwanci
others = Sauran kasuwanci
other-way = Wata hanya
this-number = Wannan lambar
go-on = Ci gaba
check-again = Sake dubawa
send-again = Sake turawa
start-again = Sake farawa
try-again = Sake gwadawa
another-bank = Wani banki
text-me = Turo sako in ya dawo
link-another = Hada wani banki
link-now = Hada banki
reauthorise = Sake shiga
keep-sharing = Ci gaba da rabawa
stop-sharing = Dakatar yanzu
unlink-option = Raba
unlink-yes = I, a raba
protect = Boye da lamba

## Notes, shown above a screen once

note-choice = Ku zabi daga jerin.
note-not-found = Ba ma hada bankin da wannan suna a nan.
note-digits = Ku yi amfani da lambobi kawai.
note-date = Rubuta kwanan wata da lambobi 8: rana, wata, shekara.
note-pattern = Bankinku bai karbi wannan ba. Ku duba.
note-letters = Ku yi amfani da haruffa da lambobi kawai.
note-length = Dole ya zama guda { $length } daidai.
note-time = Ku rubuta cikin dakika { $seconds }.
note-too-long = Ya yi tsawo.
note-unlinkable = Ba ma hada { $bank } a nan.
note-empty = Ku rubuta amsa.
note-short = Ya yi gajere. Ku rubuta duka.
note-short-again = Ya yi gajere sosai. Idan daidai ne, ku sake rubutawa.
note-wrong-code = Ba daidai ba. Saura gwaji { $left }.
note-by-sms = Idan lambar za ta zo ta SMS: ku fita, ku karanta, ku kira { $dial }
note-code-length = Lambar tana da lambobi ko haruffa 4 zuwa 8.
note-code = Wannan lambar ba ta aiki yanzu.
note-codes = Kun yi kuskuren lamba da yawa. Ku sake gwadawa bayan awa daya.
note-ask-again = Ba a aika ba. Ku sake rubutawa.
note-session-ended = Zaman bankin ya kare. Ku sake rubutawa.
note-once-more = { $bank } na sake neman bayanan.
note-other-way = Layi ya yanke a nan? Wata hanya na iya fi sauki.
note-star = Idan akwai * a ciki, ku sake rubutawa.
note-back = Ya dawo yanzu.
note-changed = { $bank } na neman wasu bayanai. Ku sake farawa.
note-pin = Ba daidai ba. Saura: { $left }.
note-pin-digits = Dole su zama lambobi 4.
note-pin-easy = Suna da saukin ganowa. Ku zabi wasu.
note-pin-differs = Biyun ba iri daya ba ne. Ku sake zabi.
note-pin-set = An ajiye lambarku.
note-pin-login = Ka fara sake shiga (1), sannan ka kira cikin minti 15 don zabar lamba.
note-pin-off = Babu wannan a nan.
note-removed = Ana raba wannan asusu.
note-no-text = Bai yi ba. Ku sake gwadawa.
note-link-sent = Mun sake tura mahadar.
note-link-soon = Yanzu aka tura ta. Ku jira minti daya.
note-no-more = Babu wasu asusu kuma.
note-not-now = Ba zai yiwu ba yanzu. A gwada anjima.

## Answers of last resort

busy = Aiki ya yi yawa. Ku kira { $dial } bayan minti daya.
sorry = An samu matsala a wurinmu. Ku kira { $dial }
unreadable = Haruffa da lambobi kawai. Ku kira { $dial }
too-long = Ya yi tsawo. Ku kira { $dial }
too-many = An gwada sau da yawa. Ku jira minti daya, sannan ku kira { $dial }
elsewhere = Kun sake kira da wannan lamba. Ku ci gaba a can.
elsewhere-by-text = Kun ci gaba ta sako. Ku ci gaba a can, ko ku kira { $dial }
expired = Lokaci ya kare. Ku kira { $dial } don ci gaba.
no-service = Wannan aiki ba ya yi da lambarku.

## Text messages, one part each: other people may read them, so they name no bank and no number

sms-linked = { $partner }: an hada asusunku. Don gani ko rabawa, kira { $dial }
sms-receipt = { $partner } na iya ganin asusun bankinku har { $until }. Don gani ko dakatarwa, kira { $dial }. Idan ba ku ba ne, ku dakatar.
sms-not-linked = { $partner }: ba a hada asusu ba. Don ganin dalili da sake gwadawa, kira { $dial }
sms-mismatched = { $partner }: ba asusun da aka nema ba ne. Ba a hada komai ba. Don taimako, kira { $dial }
sms-question = { $partner }: bankinku na neman karin amsa. Don amsawa, kira { $dial } cikin minti 15.
sms-go-on = { $partner }: kun fara hada asusun bankinku. Don ci gaba, kira { $dial } cikin minti 15.
sms-approve = { $partner }: ku amince da bukatar a manhajar bankinku. Don ci gaba, kira { $dial }
sms-page-link = { $partner }: don hada asusunku bude { $url } Kada ku ba kowa.
sms-bank-back = { $partner }: bankin da kuka nema ya dawo. Don ci gaba, kira { $dial }
sms-ends-soon = { $partner }: izinin karanta bayanan asusunku zai kare nan ba da dadewa ba. Don ci gaba ko dakatarwa, kira { $dial }
sms-ended = { $partner } ba zai sake karanta bayanan asusunku ba: lokacin da kuka yarda ya kare. Don sake hadawa, kira { $dial }
sms-asked = { $partner } na neman ku hada asusun bankinku. Idan kun san su kuma kuna so, kira { $dial }
sms-asked-again = { $partner } har yanzu na neman ku hada asusun bankinku. Idan kuna so, kira { $dial }. STOP: ba sauran sako.

## Texts that answer texts, one part each; those that stand for a screen leave room for a key to go back

sms-help = { $partner }: aika LINK ko kira { $dial } don hada asusun banki. STOP: ba sauran sako. ENGLISH, IGBO, YORUBA, PIDGIN, KISWAHILI, FRANCAIS
sms-help-stopped = { $partner }: don hada asusun banki aika LINK ko kira { $dial }. Aika START don sake samun sako.
sms-stop = Ba za ku sake samun sako daga { $partner } ba. Aika START don sake samu.
sms-start = Za ku sake samun sako daga { $partner }. Aika STOP don dainawa. Don hada asusu aika LINK ko kira { $dial }.
sms-hint = Don hada asusun banki da { $partner } aika LINK ko kira { $dial }. Kada ku aika kalmar sirri ko PIN. Aika HELP don taimako.
sms-elsewhere = Kun kira { $dial }. Ku ci gaba a can; ko ku kashe, ku jira minti daya, ku aika LINK.
sms-lost = Yi hakuri, ba a gane ba. Aika LINK don sake farawa, ko kira { $dial }.
sms-too-many = Sakonni sun yi yawa. Ku jira minti daya, sannan aika LINK ko kira { $dial }.
sms-welcome =
    { $partner } na son ganin { $data } naku domin "{ $purpose }", { $days ->
        [one] kwana { $days }
       *[other] kwanaki { $days }
    }. Ba zai iya cire kudi ba.
sms-checking = { $partner }: muna tambayar bankinku, za mu aiko da amsa.
sms-dial = Kada ku aika kalmar sirri ta sako; ba mu ajiye ba. Don ci gaba kira { $dial } cikin minti 15.
sms-delete = Kada ku aika kalmar sirri ko PIN: ku goge sakon da kuka aika. Ba mu ajiye ba. Don ci gaba kira { $dial } cikin minti 15.
sms-left = Sai an jima. Don ci gaba aika CIGABA ko kira { $dial } a kowane lokaci.
sms-own-code = Kada ku aika lambarku ta sako; ba mu ajiye ba. Kira { $dial } ku rubuta ta a can.
sms-accounts = Ba a nuna asusunku ta sako: wasu na iya karantawa. Don gani ko canzawa, kira { $dial }
sms-phone-only = An aiko da lambobi marasa daidai da yawa. Har zuwa awa 24 sai ta waya kawai za ku yarda: kira { $dial }
sms-limited = Don kare asusunku, ku jira { $wait } kafin ku sake gwadawa.
sms-approve-elsewhere =
    Ku amince a manhajar bankinku.
    { $message }

## Small words

account-savings = Ajiya
account-current = Kurent
account-other = Asusu
more-accounts = Wasu asusu
approve-code = Lamba { $code }
call-for-help = Taimako: { $contact }
sms-agree = Don yarda ku aika { $code }
bank-first = ku fara yin abin da bankin ya nema.
your-bank = bankinku
wait-minutes = minti { $minutes }
wait-hours = awa { $hours }
date-format = RRWWSSSS
data-account = asusun banki
data-balance = ragowar kudi
data-transactions = kudin da ke shiga da fita
data-identity = suna
bank-slow = { $bank } (a hankali)
bank-away = { $bank } (ba yanzu ba)
bank-needs-login = { $bank } (a sake shiga)

## What banks call fields and ways to log in, and what data are for

label-username = Sunan shiga
label-email = Adireshin imel
label-phone = Lambar waya
label-password = Kalmar sirri
label-pin = PIN
label-transaction-pin = PIN na biyan kudi
label-app-pin = PIN na manhaja
label-account-number = Lambar asusu
label-card-number = Lambar kati
label-card-pin = PIN na kati
label-customer-id = Lambar abokin ciniki
label-birth-date = Ranar haihuwa
label-log-in-with = Shiga da
label-question = Tambayar tsaro
label-code = Lambar tabbatarwa
label-code-sent = Rubuta lambar da banki ya turo maku
label-keep-secret = kada ku gaya wa kowa
label-digits = { $field } (lamba { $length })
way-internet = Banki ta intanet
way-mobile = Banki ta waya
way-card = Kati

purpose-loan = rance
purpose-loan-decision = shawarar rance
purpose-credit-limit = iyakar rance
purpose-income = duba kudin shiga
purpose-insurance = inshora
purpose-rent = kudin haya
purpose-savings = ajiya
purpose-school-fees = kudin makaranta
purpose-account-check = duba asusu

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
