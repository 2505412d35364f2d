### Swahili. DRAFT: not yet reviewed by a native reader.

## Screens

welcome =
    { $partner } inaomba kuona { $data } kwa "{ $purpose }", { $days ->
        [one] siku { $days }
       *[other] siku { $days }
    }. Haiwezi kutoa pesa. Utaingia kwa benki.
welcome-again =
    { $partner }: unganisha tena akaunti ya kale, isome { $data }: "{ $purpose }", { $days ->
        [one] siku { $days }
       *[other] siku { $days }
    }.
partners = Ni biashara gani iliyokutuma?
no-partner = Hakuna biashara inayoomba akaunti. Piga namba uliyopewa na biashara.
needs-login = { $bank } { $account }: ingia tena, la sivyo { $partner } haitaona kipya.
needs-login-elsewhere = { $bank } { $account } inahitaji kuingia upya, si kwa simu hii. Uliza { $partner }.
ends-soon =
    { $partner } inasoma { $data } { $bank } { $account } kwa "{ $purpose }". Itaisha { $until }. { $days ->
        [one] siku { $days }
       *[other] siku { $days }
    } kuanzia leo?
asked-again =
    { $partner }: ingia tena { $bank } { $account } kwa "{ $purpose }": { $data }, { $days ->
        [one] siku { $days }
       *[other] siku { $days }
    }.
languages = Chagua lugha:
banks = Chagua benki, au andika jina lake:
methods = { $bank }: unatumia ipi?
field = { $bank }: { $field }
field-warned =
    Unachoandika hapa si siri: kampuni ya simu inaweza kukisoma.
    { $bank }: { $field }
field-choice = { $bank }: { $choice }
accounts = { $bank }: akaunti ipi?
accounts-many = { $bank }: zipi? (1,3)
checking = { $bank } inakagua taarifa zako (sekunde { $seconds }).
open-page = Kuingia { $bank }, fungua kiungo cha SMS: dk { $minutes } zimebaki.
open-page-approve = Kuidhinisha { $bank }, fungua kiungo cha SMS: dk { $minutes }.
approve-elsewhere =
    Idhinisha app ya { $bank }.
    { $message }
waiting = { $bank } inashughulikia. Inaweza kuchukua hadi { $wait }.
confirming = { $bank } haijajibu bado. Tunaendelea kuuliza, hadi { $wait }. Usiingie tena huko kwa sasa.
confirming-text = { $bank } haijajibu bado. Tunauliza, hadi { $wait }, kisha SMS itakuja. Usiingie tena huko kwa sasa.
unconfirmed = Hatukuweza kujua kutoka { $bank }. Hakuna kilichounganishwa.
request-over = { $partner } imefunga ombi hili. Hakuna kilichounganishwa.
mismatched = Hii si akaunti ya { $bank } ambayo { $partner } iliomba. Haikuunganishwa.
other-account = Hii si akaunti ya { $bank } uliyochagua. Haijaunganishwa.
refused = { $bank } haikukuruhusu: taarifa si sahihi, au benki haifanyi kazi. Majaribio yaliyobaki: { $left }.
refused-wait = { $bank } haikukuruhusu. Ili usifungiwe, subiri { $wait }.
refused-help = { $bank } imekataa. Subiri { $wait }.
refused-codes = { $bank }: namba si sahihi mara tatu. Tumesimama ili usifungiwe. Hakuna kilichounganishwa.
denied = { $bank } inasema hukuidhinisha. Hakuna kilichounganishwa.
act-at-bank = { $bank }: { $message }
password-expired = { $bank } inataka nenosiri jipya. Lichague benki, ujaribu tena.
unavailable = { $bank } haipatikani sasa. Hakuna kilichotumwa.
unsuited = { $bank } inahitaji kitu ambacho simu hii haiwezi.
limited = Kulinda akaunti yako ya { $bank }, subiri { $wait } kabla ya kujaribu tena.
bank-down = { $bank } haijibu sasa. Jaribu baadaye.
bank-busy = { $bank } ina shughuli. Jaribu baada ya { $wait }.
will-text = Tutakutumia SMS moja ikirudi. Isiporudi ndani ya saa 24, hakuna SMS itakayokuja. Menu: { $dial }
texts-stopped = Ulituomba tusikutumie SMS. Tuma START kwa namba uliyotumia STOP, kisha piga { $dial }
no-banks = Orodha ya benki haipatikani sasa.
no-way = Akaunti haiwezi kuunganishwa hapa. Hakuna kilichotumwa. Uliza { $partner }.
resume = Ulianza kuunganisha { $bank }. Endelea?
news = { $bank } { $account } imeunganishwa, { $partner }.
links = Akaunti zilizounganishwa:
links-some-unused = Akaunti zako ({ $count } zaidi: unganisha tena):
no-links = Huna akaunti iliyounganishwa.
links-unused = Akaunti zisizotumika muda mrefu: { $count }. Kuona au kusitisha, unganisha tena, au uliza biashara.
link = { $bank } { $account } kwa { $partner } hadi { $until }.
link-needs-login = { $bank } { $account } kwa { $partner } hadi { $until }. Ingia tena.
unlink = Ondoa { $bank } { $account }? { $partner } haitaiona tena.

pin = Andika tarakimu 4 ulizochagua hapa, si PIN ya benki au M-Pesa. Umesahau? Rudi uunganishe akaunti hiyo tena.
choose-pin = Chagua tarakimu 4 mpya za kuficha akaunti zako kwenye simu hii. Usitumie PIN ya benki au M-Pesa.
choose-pin-warned =
    Unachoandika hapa si siri: kampuni ya simu inaweza kukisoma.
    Chagua tarakimu 4 mpya za kuficha akaunti zako kwenye simu hii. Usitumie PIN ya benki au M-Pesa.
choose-pin-again = Andika tarakimu 4 zilezile tena.
pin-locked = Umekosea mara nyingi. Subiri { $wait } upige { $dial } tena.

linked = Tayari! { $bank } { $account } imeunganishwa kwa { $partner }. Piga { $dial } kuiona au kuiondoa.
linked-twice = Tayari! { $bank } { $account } imeunganishwa kwa { $partner }. Ilikuwapo awali. Kuona zote: { $dial }
renewed = Tayari! { $partner } inaweza kuona { $bank } { $account } tena. Menu: { $dial }
consent-renewed = { $partner } inaweza kusoma { $bank } { $account } hadi { $until }. Piga { $dial } kuisitisha.
unlinked = { $bank } { $account } imeondolewa. { $partner } haitaiona tena. Menu: { $dial }
blocked = Hatuwezi kuunganisha { $bank } sasa. Tafadhali jaribu kesho. Menu: { $dial }
left = Kwaheri. Piga { $dial } wakati wowote kuendelea.
left-code = Kwaheri. Ukipata namba, piga { $dial } uiandike.
left-checking = Tunaendelea kuuliza { $bank }. Piga { $dial } baada ya dakika chache kuona matokeo.
left-asking = Tunaendelea kuuliza { $bank }, hadi { $wait }. Kuona matokeo, piga { $dial }
left-asking-text = Tunaendelea kuuliza { $bank }, hadi { $wait }, kisha tutakutumia SMS. Au piga { $dial }

## Options

agree = Nakubali
my-accounts = Akaunti zangu
language = { $languages }
leave = Ondoka
not-now = Si sasa
back = Rudi
more = Zaidi
business = Biashara
others = Biashara nyingine
other-way = Njia nyingine
this-number = Namba hii
go-on = Endelea
check-again = Angalia tena
send-again = Tuma tena
start-again = Anza upya
try-again = Jaribu tena
another-bank = Benki nyingine
text-me = SMS ikirudi
link-another = Unganisha benki nyingine
link-now = Unganisha benki
reauthorise = Ingia tena
keep-sharing = Endelea kushiriki
stop-sharing = Sitisha sasa
unlink-option = Ondoa
unlink-yes = Ndiyo, ondoa
protect = Ficha kwa namba

## Notes, shown above a screen once

note-choice = Tafadhali chagua kwenye orodha.
note-not-found = Hatuunganishi benki ya jina hilo hapa.
note-digits = Tafadhali tumia tarakimu tu.
note-date = Andika tarehe kwa tarakimu 8: siku, mwezi, mwaka.
note-pattern = Benki yako haikubali hilo. Tafadhali angalia.
note-letters = Tafadhali tumia herufi na tarakimu tu.
note-length = Lazima iwe na herufi au tarakimu { $length }.
note-time = Andika ndani ya sekunde { $seconds }.
note-too-long = Ni ndefu mno.
note-unlinkable = Hatuunganishi { $bank } hapa.
note-empty = Tafadhali andika jibu.
note-short = Ni fupi mno. Tafadhali andika yote.
note-short-again = Ni fupi sana. Kama ni sahihi, andika tena.
note-wrong-code = Si sahihi. Majaribio yaliyobaki: { $left }.
note-by-sms = Kama namba inakuja kwa SMS: toka, isome, piga { $dial }
note-code-length = Namba ina tarakimu au herufi 4 hadi 8.
note-code = Namba hiyo haifanyi kazi tena.
note-codes = Namba zisizo sahihi zimezidi. Jaribu tena baada ya saa moja.
note-ask-again = Haikutumwa. Tafadhali andika tena.
note-session-ended = Muda wa benki ulikuwa umeisha. Tafadhali andika tena.
note-once-more = { $bank } inaomba maelezo tena.
note-other-way = Ilikatika hapa? Njia nyingine inaweza kuwa fupi.
note-star = Kama * ni sehemu yake, andika tena.
note-back = Imerudi sasa.
note-changed = { $bank } inaomba taarifa nyingine. Tafadhali anza upya.
note-pin = Si sahihi. Majaribio yaliyobaki: { $left }.
note-pin-digits = Lazima ziwe tarakimu 4.
note-pin-easy = Ni rahisi kukisia. Chagua nyingine.
note-pin-differs = Hazikufanana. Chagua tena.
note-pin-set = Namba yako imewekwa.
note-pin-login = Kwanza ingia tena (1), kisha piga ndani ya dakika 15 uchague msimbo.
note-pin-off = Haipatikani hapa.
note-removed = Akaunti hii inaondolewa.
note-no-text = Haikufanikiwa. Tafadhali jaribu tena.
note-link-sent = Tumekutumia kiungo tena.
note-link-soon = Kimetumwa sasa hivi. Tafadhali subiri dakika moja.
note-no-more = Hakuna akaunti nyingine.
note-not-now = Haiwezekani sasa. Jaribu tena baadaye.

## Answers of last resort

busy = Huduma ina shughuli nyingi. Piga { $dial } baada ya dakika moja.
sorry = Kuna hitilafu upande wetu. Tafadhali piga { $dial }
unreadable = Tafadhali tumia herufi na tarakimu tu. Piga { $dial }
too-long = Ilikuwa ndefu mno. Tafadhali piga { $dial }
too-many = Umejaribu mara nyingi mno. Subiri dakika moja, kisha piga { $dial }
elsewhere = Umepiga tena kwa namba hii. Tafadhali endelea huko.
elsewhere-by-text = Uliendelea kwa SMS. Tafadhali endelea huko, au piga { $dial }
expired = Muda umeisha. Tafadhali piga { $dial } kuendelea.
no-service = Namba hii haiwezi kuhudumiwa hapa.

## Text messages, one part each: other people may read them, so they name no bank and no number

sms-linked = { $partner }: akaunti yako imeunganishwa. Kuiona au kuiondoa, piga { $dial }
sms-receipt = { $partner } inaweza kuona akaunti yako ya benki hadi { $until }. Kuiona au kuiondoa, piga { $dial }. Kama si wewe, iondoe.
sms-not-linked = { $partner }: hakuna akaunti iliyounganishwa. Kujua sababu na kujaribu tena, piga { $dial }
sms-mismatched = { $partner }: si akaunti iliyoombwa. Hakuna kilichounganishwa. Kwa msaada, piga { $dial }
sms-question = { $partner }: benki yako inauliza jambo moja zaidi. Kujibu, piga { $dial } ndani ya dakika 15.
sms-go-on = { $partner }: ulianza kuunganisha akaunti yako ya benki. Kuendelea, piga { $dial } ndani ya dakika 15.
sms-approve = { $partner }: tafadhali idhinisha ombi kwenye app ya benki yako. Kuendelea, piga { $dial }
sms-page-link = { $partner }: kuunganisha akaunti yako fungua { $url } Usimpe mtu yeyote.
sms-bank-back = { $partner }: benki uliyoomba imerudi. Kuendelea, piga { $dial }
sms-ends-soon = { $partner }: ruhusa yako ya kusoma taarifa za akaunti inakaribia kuisha. Kuendelea au kusitisha sasa, piga { $dial }
sms-ended = { $partner } haiwezi tena kusoma taarifa za akaunti yako: muda uliokubali umeisha. Kuunganisha tena, piga { $dial }
sms-asked = { $partner } inakuomba uunganishe akaunti yako ya benki. Kama unawajua na unataka, piga { $dial }
sms-asked-again = { $partner } bado inakuomba uunganishe akaunti yako ya benki. Ukitaka, piga { $dial }. STOP: hakuna SMS tena.

## Texts that answer texts, one part each; those that stand for a screen leave room for a key to go back

sms-help = { $partner }: tuma LINK au piga { $dial } kuunganisha akaunti ya benki. STOP: hakuna SMS. ENGLISH, HAUSA, IGBO, YORUBA, PIDGIN, FRANCAIS
sms-help-stopped = { $partner }: kuunganisha akaunti ya benki tuma LINK au piga { $dial }. Tuma START kupokea SMS tena.
sms-stop = Hutapokea SMS tena kutoka { $partner }. Tuma START kuzipokea tena.
sms-start = Utapokea SMS tena kutoka { $partner }. Tuma STOP kuacha. Kuunganisha akaunti tuma LINK au piga { $dial }.
sms-hint = Kuunganisha akaunti ya benki na { $partner } tuma LINK au piga { $dial }. Usitume nenosiri wala namba ya siri. Tuma HELP kwa msaada.
sms-elsewhere = Umepiga { $dial }. Endelea huko; au kata, subiri dakika moja, kisha tuma LINK.
sms-lost = Samahani, haikueleweka. Tuma LINK kuanza tena, au piga { $dial }.
sms-too-many = SMS nyingi mno kwa mara moja. Subiri dakika moja, kisha tuma LINK au piga { $dial }.
sms-welcome =
    { $partner } inaomba kuona { $data } kwa "{ $purpose }", kwa { $days ->
        [one] siku { $days }
       *[other] siku { $days }
    }. Haiwezi kutoa pesa.
sms-checking = { $partner }: tunaiuliza benki yako, tutakutumia jibu kwa SMS.
sms-dial = Usitume nenosiri au namba ya siri kwa SMS; hatukuihifadhi. Kuendelea piga { $dial } ndani ya dakika 15.
sms-delete = Usitume nenosiri au namba ya siri: futa SMS uliyotuma. Hatukuihifadhi. Kuendelea piga { $dial } ndani ya dakika 15.
sms-left = Kwaheri. Kuendelea tuma ENDELEA au piga { $dial } wakati wowote.
sms-own-code = Usitume namba yako kwa SMS; hatukuihifadhi. Piga { $dial } uiandike huko.
sms-accounts = Akaunti zako si za SMS: wengine wanaweza kuzisoma. Kuziona au kuzibadilisha, piga { $dial }
sms-phone-only = Namba zisizo sahihi zimetumwa mara nyingi. Kwa hadi saa 24 unaweza kukubali kwa simu tu: piga { $dial }
sms-limited = Kulinda akaunti yako, subiri { $wait } kabla ya kujaribu tena.
sms-approve-elsewhere =
    Idhinisha kwenye app ya benki yako.
    { $message }

## Small words

account-savings = Akiba
account-current = Hundi
account-other = Akaunti
more-accounts = Akaunti zaidi
approve-code = Namba { $code }
call-for-help = Msaada: { $contact }
sms-agree = Kukubali, jibu { $code }
bank-first = tafadhali fanya kwanza inachotaka benki.
your-bank = benki yako
wait-minutes = dakika { $minutes }
wait-hours = saa { $hours }
date-format = SSMMWWWW
data-account = akaunti yako ya benki
data-balance = salio lako
data-transactions = pesa zinazoingia na kutoka
data-identity = jina lako
bank-slow = { $bank } (polepole)
bank-away = { $bank } (haipatikani)
bank-needs-login = { $bank } (ingia tena)

## What banks call fields and ways to log in, and what data are for

label-username = Jina la mtumiaji
label-email = Barua pepe
label-phone = Namba ya simu
label-password = Nenosiri
label-pin = PIN
label-transaction-pin = PIN ya miamala
label-app-pin = PIN ya programu
label-account-number = Namba ya akaunti
label-card-number = Namba ya kadi
label-card-pin = PIN ya kadi
label-customer-id = Namba ya mteja
label-birth-date = Tarehe ya kuzaliwa
label-log-in-with = Ingia kwa
label-question = Swali la usalama
label-code = Msimbo
label-code-sent = Andika msimbo uliotumwa na benki
label-keep-secret = usimwambie mtu
label-digits = { $field } (tarakimu { $length })
way-internet = Benki ya mtandaoni
way-mobile = Benki ya simu
way-card = Kadi

purpose-loan = mkopo
purpose-loan-decision = uamuzi wa mkopo
purpose-credit-limit = kikomo cha mkopo
purpose-income = kukagua mapato
purpose-insurance = bima
purpose-rent = kodi ya nyumba
purpose-savings = akiba
purpose-school-fees = ada ya shule
purpose-account-check = kukagua akaunti

## Pages in a browser, that an SMS leads to

page-go-title = Endelea kwenye benki yako
page-go = Kwenye ukurasa unaofuata utaingia na kukubali. Unachoandika huko hakifiki kwetu.
page-go-button = Endelea
page-back-title = Rudi kwenye simu yako
page-back = Umemaliza hapa: funga ukurasa huu. Simu yako itakuambia matokeo. Unaweza pia kupiga tena kuona.
page-over-title = Ukurasa huu umeisha
page-over = Umeshatumika, au muda wake umeisha. Piga tena namba fupi kwenye simu yako kuendelea.
page-later-title = Si sasa
page-later = Ukurasa huu hauwezi kufunguka sasa. Tafadhali jaribu tena baada ya dakika moja.
