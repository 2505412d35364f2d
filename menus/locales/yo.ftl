### Yoruba. DRAFT: not yet reviewed by a native reader.
### Dotted letters and tone marks are not in GSM-7: they are written plain. Yoruba has one plural form.

## Screens

welcome = { $partner } fe wo { $data } yin fun "{ $purpose }", fun ojo { $days }. Ko le mu owo. E nilo oro igbaniwole. Se e gba?
welcome-again = { $partner }: tun so akanti atijo po, ka a le ka { $data } re fun "{ $purpose }", ojo { $days }.
partners = Ile ise wo lo ran yin wa?
no-partner = Ko si ile ise to n beere akanti yin bayii. E pe koodu ti ile ise fun yin.
needs-login = { $bank } { $account }: tun wole, bi bee ko { $partner } ko ni ri tuntun.
needs-login-elsewhere = { $bank } { $account } nilo iwole tuntun, ki i se lori foonu yii. Bi { $partner }.
ends-soon = { $partner } n ka { $data } re ni { $bank } { $account } fun "{ $purpose }". Yoo pari { $until }. Ojo { $days } lati oni?
asked-again = { $partner } fe ki o tun wole si { $bank } { $account } fun "{ $purpose }": { $data } re, fun ojo { $days }.
languages = E yan ede yin:
banks = E yan banki yin, tabi ki e te oruko banki naa:
methods = { $bank }: ewo ni e n lo?
field = { $bank }: { $field }
field-warned =
    Ohun ti e te nibi ki i se asiri: ile ise foonu le ka a.
    { $bank }: { $field }
field-choice = { $bank }: { $choice }
accounts = { $bank }: akanti wo?
accounts-many = { $bank }: ewo ni? (1,3)
checking = { $bank } n ye alaye yin wo (iseju aaya { $seconds }).
open-page = Lati wole si { $bank }, e si linki SMS: iseju { $minutes } lo ku.
open-page-approve = Lati fowo si i ni { $bank }, e si linki SMS: iseju { $minutes }.
approve-elsewhere =
    E fowo si i ninu app { $bank }.
    { $message }
waiting = { $bank } n sise lori re. O le to { $wait }.
confirming = { $bank } ko tii dahun. A n beere, o le to { $wait }. E jowo, e ma tii tun wole sibe.
confirming-text = { $bank } ko tii dahun. A n beere, o le to { $wait }, a o si fi SMS ranse. E jowo, e ma tii tun wole sibe.
unconfirmed = A ko ri idahun { $bank }. A ko so nnkan kan po.
request-over = { $partner } ti fagi le ibeere yii. A ko so nnkan kan po.
mismatched = Eyi ki i se akanti { $bank } ti { $partner } beere. A ko so o po.
other-account = Eyi ki i se akanti { $bank } ti o yan. A ko so o po.
refused = { $bank } ko gba yin: nnkan kan ko peye, tabi banki ko sise. O ku igba { $left }.
refused-wait = { $bank } ko gba yin. Ki banki ma baa ti akanti yin, e duro fun { $wait }.
refused-help = { $bank } ko gba yin. E duro { $wait }.
refused-codes = { $bank }: koodu ko peye leemeta. A duro, ki banki ma baa ti akanti yin. A ko so nnkan kan po.
denied = { $bank } so pe e ko fowo si i. A ko so ohunkohun po.
act-at-bank = { $bank }: { $message }
password-expired = { $bank } fe oro asina tuntun. E yan an ni banki, ki e tun gbiyanju.
unavailable = { $bank } ko sise bayii. A ko fi nnkan kan ranse.
unsuited = { $bank } n beere ohun ti foonu yii ko le se.
limited = Lati daabo bo { $bank } yin, e duro fun { $wait } ki e to tun gbiyanju.
bank-down = { $bank } ko dahun bayii. Tun gbiyanju to ba ya.
bank-busy = Owo { $bank } di bayii. Tun gbiyanju leyin { $wait }.
will-text = A o fi SMS kan ranse si yin, nigba to ba pada. Ti ko ba pada laarin wakati 24, ko ni si SMS. Menu: { $dial }
texts-stopped = E ti so pe ki a ma fi SMS ranse si yin. E fi START ranse si nomba ti e fi STOP ranse si, ki e pe { $dial }
no-banks = Akojo banki ko si bayii.
no-way = A ko le so akanti po nibi. A ko fi nnkan kan ranse. Bi { $partner } leere ona miran.
resume = E ti bere si so { $bank } po. Tesiwaju?
news = A ti so { $bank } { $account } po mo { $partner }.
links = Akanti yin to ti so po:
links-some-unused = Akanti re ({ $count } miran: tun so won po):
no-links = E ko so akanti kankan po.
links-unused = Akanti ti a ko lo pe: { $count }. Lati ri tabi da okan duro, tun so o po, tabi bi ile ise.
link = { $bank } { $account }, a so o po mo { $partner } titi di { $until }.
link-needs-login = { $bank } { $account }, a so o po mo { $partner } titi di { $until }. Tun wole.
unlink = Yo { $bank } { $account } kuro? { $partner } ko ni ri i mo.

pin = E te nomba 4 ti e yan nibi, ki i se PIN banki. E gbagbe? E pada, ki e tun so akanti naa po.
choose-pin = E yan nomba 4 tuntun lati fi akanti yin pamo lori foonu yii. E ma lo PIN banki.
choose-pin-warned =
    Ohun ti e te nibi ki i se asiri: ile ise foonu le ka a.
    E yan nomba 4 tuntun lati fi akanti yin pamo lori foonu yii. E ma lo PIN banki.
choose-pin-again = E tun te nomba 4 kan naa.
pin-locked = Asise ti po ju. E duro { $wait } ki e tun pe { $dial }

linked = O ti pari! A ti so { $bank } { $account } po mo { $partner }. E pe { $dial } lati wo o tabi yo o.
linked-twice = O ti pari! A ti so { $bank } { $account } po mo { $partner }. A ti so o po tele. Wo mejeeji: { $dial }
renewed = O ti pari! { $partner } tun le ri { $bank } { $account } bayii. Menu: { $dial }
consent-renewed = { $partner } le ka { $bank } { $account } titi di { $until }. E pe { $dial } lati da a duro.
unlinked = A ti yo { $bank } { $account } kuro. { $partner } ko ni ri i mo. Menu: { $dial }
blocked = A ko le so { $bank } po bayii. Jowo gbiyanju lola. Menu: { $dial }
left = O dabo. E pe { $dial } nigbakugba lati tesiwaju.
left-code = O dabo. Ti e ba ti ri koodu naa, e pe { $dial } lati te e.
left-checking = A si n beere lowo { $bank }. E pe { $dial } leyin iseju die lati ri esi.
left-asking = A si n beere lowo { $bank }, o le to { $wait }. Lati ri esi, e pe { $dial }
left-asking-text = A si n beere lowo { $bank }, o le to { $wait }. A o fi SMS ranse, tabi e pe { $dial }

## Options

agree = Mo gba
my-accounts = Akanti mi
language = { $languages }
leave = Jade
not-now = Ki i se bayii
back = Pada
more = Si i
business = Isowo
others = Ile ise miiran
other-way = Ona miran
this-number = Nomba yii
go-on = Tesiwaju
check-again = Tun wo
send-again = Tun fi ranse
start-again = Tun bere
try-again = Tun gbiyanju
another-bank = Banki miran
text-me = SMS to ba pada
link-another = So banki miran po
link-now = So banki po
reauthorise = Tun wole
keep-sharing = Maa pin in lo
stop-sharing = Da a duro bayii
unlink-option = Yo kuro
unlink-yes = Beeni, yo o kuro
protect = Koodu mi

## Notes, shown above a screen once

note-choice = E jowo yan lati inu akojo.
note-not-found = A ki i so banki oruko yen po nibi.
note-digits = E jowo lo nomba nikan.
note-date = E te ojo naa ni nomba 8: ojo, osu, odun.
note-pattern = Banki yin ko gba a. E jowo e ye e wo.
note-letters = E jowo lo leta ati nomba nikan.
note-length = O gbodo je leta tabi nomba { $length }.
note-time = E te e laarin iseju aaya { $seconds }.
note-too-long = O ti gun ju.
note-unlinkable = A ki i so { $bank } po nibi.
note-empty = E jowo te idahun.
note-short = O kuru ju. E te gbogbo re.
note-short-again = O kuru gan-an. To ba peye, e tun te e.
note-wrong-code = Ko peye. O ku igba { $left } lati gbiyanju.
note-by-sms = Ti koodu ba wa nipa SMS: e jade, e ka a, e pe { $dial }
note-code-length = Koodu ni nomba tabi leta 4 si 8.
note-code = Koodu yen ko sise mo.
note-codes = Koodu asise ti po ju. E gbiyanju leyin wakati kan.
note-ask-again = A ko fi ranse. E jowo tun te e.
note-session-ended = Akoko banki naa ti pari. Jowo tun te e.
note-once-more = { $bank } tun n beere alaye naa.
note-other-way = Se ila ge nibi? Ona miran le rorun ju.
note-star = Ti * ba wa ninu re, jowo tun te e.
note-back = O ti pada bayii.
note-changed = { $bank } n beere alaye miran. E jowo tun bere.
note-pin = Ko peye. O ku igba { $left }.
note-pin-digits = O gbodo je nomba 4.
note-pin-easy = O rorun ju. E yan omiran.
note-pin-differs = Mejeeji ko ri bakan naa. E tun yan.
note-pin-set = A ti fi koodu yin pamo.
note-pin-login = Koko tun wole (1), ki o si pe laarin iseju 15 lati yan koodu.
note-pin-off = Ko si nibi.
note-removed = A n yo akanti yii kuro.
note-no-text = Ko sise. E jowo tun gbiyanju.
note-link-sent = A ti tun fi linki naa ranse.
note-link-soon = A sese fi ranse ni. E duro fun iseju kan.
note-no-more = Ko si akanti miiran.
note-not-now = Ko see se bayii. E tun gbiyanju nigba miiran.

## Answers of last resort

busy = Ise po ju. E pe { $dial } leyin iseju kan.
sorry = Nnkan kan baje lodo wa. E jowo pe { $dial }
unreadable = E lo leta ati nomba nikan. E pe { $dial }
too-long = O ti gun ju. E jowo pe { $dial }
too-many = E ti gbiyanju ju. E duro fun iseju kan, ki e pe { $dial }
elsewhere = E ti tun pe lori nomba yii. E jowo tesiwaju nibe.
elsewhere-by-text = E ti tesiwaju nipa SMS. E jowo tesiwaju nibe, tabi e pe { $dial }
expired = Akoko yin ti pari. E jowo pe { $dial } lati tesiwaju.
no-service = A ko le sise fun nomba yii nibi.

## Text messages, one part each: other people may read them, so they name no bank and no number

sms-linked = { $partner }: a ti so akanti yin po. Lati ri i tabi yo o, pe { $dial }
sms-receipt = { $partner } le ri akanti banki yin titi di { $until }. Lati wo o tabi yo o kuro, pe { $dial }. Ti ki i ba se eyin, e yo o kuro.
sms-not-linked = { $partner }: a ko so akanti kankan po. Lati mo idi ati tun gbiyanju, pe { $dial }
sms-mismatched = { $partner }: ki i se akanti ti a beere. A ko so nnkan kan po. Fun iranlowo, pe { $dial }
sms-question = { $partner }: banki yin beere nnkan kan si i. Lati dahun, pe { $dial } laarin iseju 15.
sms-go-on = { $partner }: e ti bere si so akanti banki yin po. Lati tesiwaju, pe { $dial } laarin iseju 15.
sms-approve = { $partner }: e jowo e fowo si ibeere naa ninu app banki yin. Lati tesiwaju, pe { $dial }
sms-page-link = { $partner }: lati so akanti yin po e si { $url } E ma fun enikeni.
sms-bank-back = { $partner }: banki ti e beere ti pada. Lati tesiwaju, pe { $dial }
sms-ends-soon = { $partner }: ase ti o fun won lati ka akanti re yoo pari laipe. Lati tesiwaju tabi da a duro, pe { $dial }
sms-ended = { $partner } ko le ka akanti re mo: akoko ti o gba ti pari. Lati tun so o po, pe { $dial }
sms-asked = { $partner } beere pe ki e so akanti banki yin po. Ti e ba mo won, ti e si fe, pe { $dial }
sms-asked-again = { $partner } si n beere pe ki e so akanti banki yin po. Ti e ba fe, pe { $dial }. STOP: ko si SMS mo.

## Texts that answer texts, one part each; those that stand for a screen leave room for a key to go back

sms-help = { $partner }: fi LINK ranse tabi pe { $dial } lati so akanti po. STOP: ko si SMS mo. ENGLISH, HAUSA, IGBO, PIDGIN, KISWAHILI, FRANCAIS
sms-help-stopped = { $partner }: lati so akanti banki po, fi LINK ranse tabi pe { $dial }. Fi START ranse lati tun gba SMS.
sms-stop = E ko ni gba SMS mo lati odo { $partner }. Fi START ranse lati tun gba won.
sms-start = E o tun gba SMS lati odo { $partner }. STOP lati da a duro. Lati so akanti po: LINK tabi pe { $dial }.
sms-hint = Lati so akanti po pelu { $partner } fi LINK ranse tabi pe { $dial }. E ma fi password tabi koodu ranse. HELP: iranlowo.
sms-elsewhere = E ti pe { $dial }. E tesiwaju nibe; tabi e pa ipe naa, e duro iseju kan, ki e fi LINK ranse.
sms-lost = E ma binu, ko ye wa. Fi LINK ranse lati tun bere, tabi pe { $dial }.
sms-too-many = SMS ti po ju. E duro fun iseju kan, ki e fi LINK ranse tabi pe { $dial }.
sms-welcome = { $partner } fe wo { $data } yin fun "{ $purpose }", fun ojo { $days }. Ko le mu owo. Se e gba?
sms-checking = { $partner }: a n bi banki yin leere, a o fi SMS dahun.
sms-dial = E ma fi password tabi koodu ranse; a ko pa a mo. Lati tesiwaju pe { $dial } laarin iseju 15.
sms-delete = E ma fi password tabi koodu ranse: e pa SMS ti e fi ranse re. A ko pa a mo. Lati tesiwaju pe { $dial } laarin iseju 15.
sms-left = O dabo. Lati tesiwaju fi TESIWAJU ranse tabi pe { $dial } nigbakugba.
sms-own-code = E ma fi koodu yin ranse; a ko pa a mo. E pe { $dial } ki e te e nibe.
sms-accounts = Akanti re ki i se fun SMS: elomiran le ka a. Lati ri won tabi yi won pada, pe { $dial }
sms-phone-only = A ti fi nomba ti ko to ranse ju. Titi di wakati 24, ori foonu nikan lo ti le gba: pe { $dial }
sms-limited = Lati daabo bo akanti yin, e duro fun { $wait } ki e to tun gbiyanju.
sms-approve-elsewhere =
    E fowo si i ninu app banki re.
    { $message }

## Small words

account-savings = Ifowopamo
account-current = Kurenti
account-other = Akanti
more-accounts = Akanti miiran
approve-code = Koodu { $code }
call-for-help = Iranlowo: { $contact }
sms-agree = Lati gba, fi { $code } ranse
bank-first = e koko se ohun ti banki fe.
your-bank = banki re
wait-minutes = iseju { $minutes }
wait-hours = wakati { $hours }
date-format = OOSSDDDD
data-account = akanti banki
data-balance = owo to ku
data-transactions = owo to wole ati to jade
data-identity = oruko
bank-slow = { $bank } (o n lora)
bank-away = { $bank } (ko sise)
bank-needs-login = { $bank } (tun wole)

## What banks call fields and ways to log in, and what data are for

label-username = Oruko iwole
label-email = Adiresi imeeli
label-phone = Nomba foonu
label-password = Oro igbaniwole
label-pin = PIN
label-transaction-pin = PIN isanwo
label-app-pin = PIN aapu
label-account-number = Nomba akanti
label-card-number = Nomba kaadi
label-card-pin = PIN kaadi
label-customer-id = Nomba onibara
label-birth-date = Ojo ibi
label-log-in-with = E wole pelu
label-question = Ibeere aabo
label-code = Koodu
label-code-sent = Te koodu ti banki fi ranse si yin
label-keep-secret = e ma so fun enikeni
label-digits = { $field } (nomba { $length })
way-internet = Banki ori intaneti
way-mobile = Banki ori foonu
way-card = Kaadi

purpose-loan = awin
purpose-loan-decision = ipinnu awin
purpose-credit-limit = iye awin
purpose-income = ayewo owo oya
purpose-insurance = adojutofo
purpose-rent = iyalo ile
purpose-savings = owo ifipamo
purpose-school-fees = owo ile iwe
purpose-account-check = ayewo akanti

## Pages in a browser, that an SMS leads to

page-go-title = Tesiwaju si banki re
page-go = Ni oju-iwe to n bo e o wole, e o si gba. Ohun ti e ba te nibe ko wa sodo wa.
page-go-button = Tesiwaju
page-back-title = Pada si foonu re
page-back = E ti pari nibi: e pa oju-iwe yii de. Foonu yin yoo so bi o se lo. E tun le pe lati wo o.
page-over-title = Oju-iwe yii ti pari
page-over = A ti lo o tele, tabi akoko re ti koja. Tun pe nomba kukuru naa lori foonu re lati tesiwaju.
page-later-title = Ko si bayii
page-later = A ko le si oju-iwe yii bayii. Jowo tun gbiyanju leyin iseju kan.
