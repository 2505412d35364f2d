### Igbo. DRAFT: not yet reviewed by a native reader.
### Dotted letters and tone marks are not in GSM-7: they are written plain. Igbo has one plural form.

## Screens

welcome = { $partner } choro ihu { $data } gi maka "{ $purpose }", ubochi { $days }. O nweghi ike iwere ego. I ga-eji paswodu banki.
welcome-again = { $partner }: jikoo akaunti ochie ozo ka o guo { $data } gi maka "{ $purpose }", ubochi { $days }.
partners = Kedu ulo oru zitere gi?
no-partner = O nweghi ulo oru na-ario akauntu gi ugbu a. Kpoo koodu ulo oru nyere gi.
needs-login = { $bank } { $account }: banye ozo, ka { $partner } wee hu ihe ohuru.
needs-login-elsewhere = { $bank } { $account } choro nbanye ohuru, obughi n'ekwenti a. Juo { $partner }.
ends-soon = { $partner } na-agu { $data } { $bank } { $account } "{ $purpose }" ruo { $until }. Ubochi { $days } site ta?
asked-again = { $partner }: banye ozo na { $bank } { $account } maka "{ $purpose }": { $data } gi, ruo ubochi { $days }.
languages = Horo asusu gi:
banks = Horo banki gi, ma o bu pinye aha ya:
methods = { $bank }: kedu nke i na-eji?
field = { $bank }: { $field }
field-warned =
    Ihe i pinyere abughi nzuzo: ulo oru ekwenti nwere ike igu ya.
    { $bank }: { $field }
field-choice = { $bank }: { $choice }
accounts = { $bank }: kedu akauntu?
accounts-many = { $bank }: kedu ndi? (1,3)
checking = { $bank } na-enyocha ozi gi (sek. { $seconds }).
open-page = Ibanye na { $bank }, mepee njiko SMS: nkeji { $minutes } foduru.
open-page-approve = Ikwado na { $bank }, mepee njiko SMS: nkeji { $minutes } foduru.
approve-elsewhere =
    Kwado ya n'ime app { $bank }.
    { $message }
waiting = { $bank } na-aru ya. O nwere ike iru { $wait }.
confirming = { $bank } azabeghi. Anyi ka na-aju, ruo { $wait }. Biko abanyekwala ebe ahu ozo ugbu a.
confirming-text = { $bank } azabeghi. Anyi ka na-aju, ruo { $wait }, anyi ga-ezitere gi ozi. Biko abanyekwala ebe ahu ozo ugbu a.
unconfirmed = Anyi amataghi ma { $bank } o kwere. O nweghi ihe ejikoro.
request-over = { $partner } akwusila aririo a. O nweghi ihe ejikoro.
mismatched = Nke a abughi akauntu { $bank } nke { $partner } rioro. Ejikoghi ya.
other-account = Nke a abughi akaunti { $bank } nke i hoputara. Ejikoghi ya.
refused = { $bank } ekweghi ka i banye: ihe ezighi ezi, ma o bu banki anaghi aru oru. Ugboro foduru: { $left }.
refused-wait = { $bank } ekweghi ka i banye. Ka banki ghara imechi gi, chere { $wait }.
refused-help = { $bank } ekweghi ka i banye. Chere { $wait }.
refused-codes = { $bank }: koodu ezighi ezi ugboro ato. Anyi kwusiri ka banki ghara imechi gi. O nweghi ihe ejikoro.
denied = { $bank } si na i kwadoghi ya. E jikoghi ihe obula.
act-at-bank = { $bank }: { $message }
password-expired = { $bank } choro paswoodu ohuru. Horo ya na banki, nwaa ozo.
unavailable = { $bank } adighi ugbu a. O nweghi ihe ezigara.
unsuited = { $bank } na-acho ihe ekwenti a enweghi ike ime.
limited = Iji chekwaa { $bank } gi, chere { $wait } tupu i nwaa ozo.
bank-down = { $bank } anaghi aza ugbu a. Nwaa ma e mechaa.
bank-busy = { $bank } ji oru. Nwaa mgbe { $wait } gachara.
will-text = Anyi ga-ezitere gi otu ozi mgbe o lotara. O buru na o lotaghi n'ime awa 24, ozi agaghi abia. Menu: { $dial }
texts-stopped = I siri anyi kwusi izitere gi ozi. Zipu START na nomba i zigara STOP, wee kpoo { $dial }
no-banks = Ndeputa banki adighi ugbu a.
no-way = Enweghi ike ijiko akaunti n'ahiri a. O nweghi ihe ezigara. Juo { $partner } uzo ozo.
resume = I malitere ijiko { $bank }. Gaa n'ihu?
news = Ejikola { $bank } { $account } na { $partner }.
links = Akauntu i jikoro:
links-some-unused = Akauntu gi ({ $count } ozo: jikoo ha ozo):
no-links = I jikobeghi akauntu o bula.
links-unused = Akauntu ejighi eme ihe kemgbe: { $count }. Iji hu ma o bu kwusi otu, jikoo ya ozo, ma o bu juo ulo oru.
link = { $bank } { $account }, ejikoro na { $partner } ruo { $until }.
link-needs-login = { $bank } { $account }, ejikoro na { $partner } ruo { $until }. Banye ozo.
unlink = Kwusi njiko { $bank } { $account }? { $partner } agaghi ahu ya ozo.

pin = Pinye onuogu 4 i horo ebe a, o bughi PIN banki. I chefuru? Laghachi ma jikoo akauntu ahu ozo.
choose-pin = Horo onuogu 4 ohuru iji zoo akauntu gi na ekwenti a. Ejila PIN banki gi.
choose-pin-warned =
    Ihe i pinyere abughi nzuzo: ulo oru ekwenti nwere ike igu ya.
    Horo onuogu 4 ohuru iji zoo akauntu gi na ekwenti a. Ejila PIN banki gi.
choose-pin-again = Pinye otu onuogu 4 ahu ozo.
pin-locked = Koodu ezighi ezi kariri. Chere { $wait } ma kpoo { $dial } ozo.

linked = O gazuola! Ejikola { $bank } { $account } na { $partner }. Kpoo { $dial } ka i hu ya ma o bu kwusi ya.
linked-twice = O gazuola! Ejikola { $bank } { $account } na { $partner }. Ejikoburu ya mbu. Hu ha abuo: { $dial }
renewed = O gazuola! { $partner } nwere ike ihu { $bank } { $account } ozo. Menu: { $dial }
consent-renewed = { $partner } nwere ike igu { $bank } { $account } ruo { $until }. Kpoo { $dial } iji kwusi ya.
unlinked = Akwusila njiko { $bank } { $account }. { $partner } agaghi ahu ya ozo. Menu: { $dial }
blocked = Anyi enweghi ike ijiko { $bank } ugbu a. Biko nwaa echi. Menu: { $dial }
left = Ka o di. Kpoo { $dial } mgbe o bula ka i gaa n'ihu.
left-code = Ka o di. I hu koodu ahu, kpoo { $dial } pinye ya.
left-checking = Anyi ka na-aju { $bank }. Mgbe nkeji ole na ole gachara, kpoo { $dial }
left-asking = Anyi ka na-aju { $bank }, ruo { $wait }. Iji hu ihe mere, kpoo { $dial }
left-asking-text = Anyi ka na-aju { $bank }, ruo { $wait }, anyi ga-ezitere gi ozi. Ma o bu kpoo { $dial }

## Options

agree = Ekwere m
my-accounts = Akauntu m
language = { $languages }
leave = Puo
not-now = Mba ugbu a
back = Laghachi
more = Ndi ozo
business = Azumahia
others = Ulo oru ndi ozo
other-way = Uzo ozo
this-number = Nomba a
go-on = Gaa n'ihu
check-again = Lelee ozo
send-again = Zitegharia
start-again = Malite ozo
try-again = Nwaa ozo
another-bank = Banki ozo
text-me = Zitere m ozi o lota
link-another = Jikoo banki ozo
link-now = Jikoo banki
reauthorise = Banye ozo
keep-sharing = Gaa n'ihu kenye
stop-sharing = Kwusi ugbu a
unlink-option = Kwusi njiko
unlink-yes = Ee, kwusi ya
protect = Zoo na koodu

## Notes, shown above a screen once

note-choice = Biko horo na ndeputa a.
note-not-found = Anyi anaghi ejiko banki aha ahu ebe a.
note-digits = Biko jiri nomba naani.
note-date = Pia ubochi na onuogugu 8: ubochi, onwa, afo.
note-pattern = Banki gi anaraghi ya. Biko lelee ya.
note-letters = Biko jiri leta na nomba naani.
note-length = O ga-enwe leta ma o bu nomba { $length }.
note-time = Pinye ya n'ime sekond { $seconds }.
note-too-long = O toro oke ogologo.
note-unlinkable = Anyi anaghi ejiko { $bank } ebe a.
note-empty = Biko pinye aziza.
note-short = O di mkpumkpu. Biko pinye ya niile.
note-short-again = O di ezigbo mkpumkpu. O buru na o ziri ezi, pinye ya ozo.
note-wrong-code = O zighi ezi. I ka nwere ike inwa ugboro { $left }.
note-by-sms = O buru na koodu ga-abia na SMS: puo, guo ya, kpoo { $dial }
note-code-length = Koodu na-enwe nomba ma o bu leta 4 ruo 8.
note-code = Koodu ahu anaghi aru oru ozo.
note-codes = Koodu ezighi ezi kariri. Nwaa ozo mgbe otu awa gachara.
note-ask-again = Ezigaghi ya. Biko pinye ya ozo.
note-session-ended = Oge banki ahu agwula. Biko pinye ya ozo.
note-once-more = { $bank } na-aju ozi ahu ozo.
note-other-way = O gbubiri ebe a? Uzo ozo nwere ike idi mfe.
note-star = Oburu na * di n'ime ya, biko pinye ya ozo.
note-back = O lotala ugbu a.
note-changed = { $bank } na-acho ozi ozo. Biko malite ozo.
note-pin = Ezighi ezi. Fodu: { $left }.
note-pin-digits = O ga-abu onuogu 4.
note-pin-easy = O di mfe ichoputa. Horo ozo.
note-pin-differs = Ha abuo abughi otu. Horo ozo.
note-pin-set = Edebela koodu gi.
note-pin-login = Buru uzo banye ozo (1), kpoo n'ime nkeji 15 iji horo koodu.
note-pin-off = Anaghi enye ya ebe a.
note-removed = Ana-akwusi njiko akauntu a.
note-no-text = O gaghi. Biko nwaa ozo.
note-link-sent = Anyi ezitegharia njiko ahu.
note-link-soon = E zipuru ya ugbu a. Biko chere otu nkeji.
note-no-more = Enweghi akauntu ozo.
note-not-now = O gaghi ekwe ugbu a. Nwaa mgbe ozo.

## Answers of last resort

busy = Oru juru anyi aka. Biko kpoo { $dial } mgbe otu nkeji gachara.
sorry = Ihe mejoro n'akuku anyi. Biko kpoo { $dial }
unreadable = Biko jiri leta na nomba naani. Kpoo { $dial }
too-long = O toro oke ogologo. Biko kpoo { $dial }
too-many = I nwaala otutu ugboro. Biko chere otu nkeji, kpoo { $dial }
elsewhere = I kpoola ozo na nomba a. Biko gaa n'ihu n'ebe ahu.
elsewhere-by-text = I gara n'ihu na SMS. Biko gaa n'ihu n'ebe ahu, ma o bu kpoo { $dial }
expired = Oge agwula. Biko kpoo { $dial } ka i gaa n'ihu.
no-service = Oru a anaghi aru na nomba gi.

## Text messages, one part each: other people may read them, so they name no bank and no number

sms-linked = { $partner }: ejikotala akauntu gi. Iji hu ya ma o bu kwusi ya, kpoo { $dial }
sms-receipt = { $partner } nwere ike ihu akauntu banki gi ruo { $until }. Iji hu ma o bu kwusi ya, kpoo { $dial }. O bughi gi? Kwusi ya.
sms-not-linked = { $partner }: ejikotaghi akauntu o bula. Iji hu ihe kpatara ya ma nwaa ozo, kpoo { $dial }
sms-mismatched = { $partner }: o bughi akauntu a rioro. O nweghi ihe ejikoro. Maka enyemaka, kpoo { $dial }
sms-question = { $partner }: banki gi na-aju otu ihe ozo. Iji zaa, kpoo { $dial } n'ime nkeji 15.
sms-go-on = { $partner }: i malitere ijiko akauntu banki gi. Iji gaa n'ihu, kpoo { $dial } n'ime nkeji 15.
sms-approve = { $partner }: biko kwado aririo ahu n'ime app banki gi. Iga n'ihu, kpoo { $dial }
sms-page-link = { $partner }: ijiko akauntu gi mepee { $url } Enyela onye obula ya.
sms-bank-back = { $partner }: banki i choro alotala. Iji gaa n'ihu, kpoo { $dial }
sms-ends-soon = { $partner }: ikike i nyere ka a guo akauntu gi ga-agwu n'oge na-adighi anya. Iji gaa n'ihu ma o bu kwusi, kpoo { $dial }
sms-ended = { $partner } enweghi ike igu akauntu gi ozo: oge i kwere agwula. Iji jikoo ozo, kpoo { $dial }
sms-asked = { $partner } na-ario gi ka i jikoo akauntu banki gi. O buru na i ma ha, kpoo { $dial }
sms-asked-again = { $partner } ka na-ario gi ka i jikoo akauntu banki gi. I choo ya, kpoo { $dial }. STOP: SMS kwusi.

## Texts that answer texts, one part each; those that stand for a screen leave room for a key to go back

sms-help = { $partner }: zipu LINK ma o bu kpoo { $dial } iji jikoo akauntu. STOP: SMS kwusi. ENGLISH, HAUSA, YORUBA, PIDGIN, KISWAHILI, FRANCAIS
sms-help-stopped = { $partner }: iji jikoo akauntu banki zipu LINK ma o bu kpoo { $dial }. Zipu START iji nweta SMS ozo.
sms-stop = I gaghi enweta SMS ozo site na { $partner }. Zipu START iji nweta ha ozo.
sms-start = I ga-enweta SMS ozo site na { $partner }. Zipu STOP iji kwusi. Iji jikoo akauntu zipu LINK ma o bu kpoo { $dial }.
sms-hint = Iji jikoo akauntu banki na { $partner } zipu LINK ma o bu kpoo { $dial }. Ezipula paswoodu ma o bu koodu. Zipu HELP maka enyemaka.
sms-elsewhere = I kpoola { $dial }. Gaa n'ihu n'ebe ahu; ma o bu kwusi, chere otu nkeji, zipu LINK.
sms-lost = Ndo, anyi aghotaghi. Zipu LINK iji malite ozo, ma o bu kpoo { $dial }.
sms-too-many = SMS kariri n'otu oge. Chere otu nkeji, zipu LINK ma o bu kpoo { $dial }.
sms-welcome = { $partner } choro ihu { $data } gi maka "{ $purpose }", ubochi { $days }. O nweghi ike iwere ego. I kwere?
sms-checking = { $partner }: anyi na-aju banki gi, anyi ga-ezitere gi aziza na SMS.
sms-dial = Ezipula paswoodu ma o bu koodu; anyi edebeghi ya. Iji gaa n'ihu kpoo { $dial } n'ime nkeji 15.
sms-delete = Ezipula paswoodu ma o bu koodu: hichapu ozi i zipuru. Anyi edebeghi ya. Iji gaa n'ihu kpoo { $dial } n'ime nkeji 15.
sms-left = Ka o di. Iji gaa n'ihu zipu GAANIHU ma o bu kpoo { $dial } mgbe o bula.
sms-own-code = Ezipula koodu gi; anyi edebeghi ya. Kpoo { $dial } pinye ya n'ebe ahu.
sms-accounts = Akaunti gi abughi maka SMS: ndi ozo nwere ike igu ya. Iji hu ha ma o bu gbanwee ha, kpoo { $dial }
sms-phone-only = E zitere nomba ezighi ezi otutu ugboro. Ruo awa 24 i ga-ekwe naani na ekwenti: kpoo { $dial }
sms-limited = Iji chekwaa akauntu gi, chere { $wait } tupu i nwaa ozo.
sms-approve-elsewhere =
    Kwado ya n'ime app banki gi.
    { $message }

## Small words

account-savings = Nchekwa
account-current = Kurenti
account-other = Akauntu
more-accounts = Akauntu ndi ozo
approve-code = Koodu { $code }
call-for-help = Enyemaka: { $contact }
sms-agree = Iji kwere, zipu { $code }
bank-first = biko buru uzo mee ihe banki choro.
your-bank = banki gi
wait-minutes = nkeji { $minutes }
wait-hours = awa { $hours }
date-format = UUOOAAAA
data-account = akauntu banki
data-balance = ego foduru
data-transactions = ego batara na nke puru
data-identity = aha
bank-slow = { $bank } (nwayoo)
bank-away = { $bank } (mba ugbu a)
bank-needs-login = { $bank } (banye ozo)

## What banks call fields and ways to log in, and what data are for

label-username = Aha nbanye
label-email = Adreesi imeel
label-phone = Nomba ekwenti
label-password = Paswodu
label-pin = PIN
label-transaction-pin = PIN ikwu ugwo
label-app-pin = PIN ngwa
label-account-number = Nomba akauntu
label-card-number = Nomba kaadi
label-card-pin = PIN kaadi
label-customer-id = Nomba onye ahia
label-birth-date = Ubochi omumu
label-log-in-with = Banye na
label-question = Ajuju nche
label-code = Koodu
label-code-sent = Pinye koodu banki zitere gi
label-keep-secret = agwala onye obula
label-digits = { $field } (onuogu { $length })
way-internet = Banki na intaneti
way-mobile = Banki na ekwenti
way-card = Kaadi

purpose-loan = mgbazinye ego
purpose-loan-decision = mkpebi mgbazinye ego
purpose-credit-limit = oke mgbazinye ego
purpose-income = inyocha ego mbata
purpose-insurance = inshoransi
purpose-rent = ugwo ulo
purpose-savings = ichekwa ego
purpose-school-fees = ugwo akwukwo
purpose-account-check = inyocha akauntu

## Pages in a browser, that an SMS leads to

page-go-title = Gaa n'ihu na banki gi
page-go = Na ibe na-esote i ga-abanye ma kweta. Ihe i dere ebe ahu anaghi abiakwute anyi.
page-go-button = Gaa n'ihu
page-back-title = Laghachi na ekwenti gi
page-back = I mechaala ebe a: mechie ibe a. Ekwenti gi ga-agwa gi otu o siri gaa. I nwekwara ike ikpo ozo ka i hu.
page-over-title = Ibe a agwula
page-over = E jirila ya mbu, ma o bu oge ya agafeela. Kpoo nomba mkpirisi ahu ozo na ekwenti gi ka i gaa n'ihu.
page-later-title = O bughi ugbu a
page-later = Enweghi ike imepe ibe a ugbu a. Biko nwaa ozo mgbe otu nkeji gachara.
