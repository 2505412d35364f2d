### Nigerian Pidgin. DRAFT: not yet reviewed by a native reader.

## Screens

welcome =
    { $partner } wan see your { $data } for "{ $purpose }", { $days ->
        [one] { $days } day
       *[other] { $days } days
    }. E no fit touch your money. You need bank login.
welcome-again =
    { $partner }: link old account again make dem read { $data } for "{ $purpose }", { $days ->
        [one] { $days } day
       *[other] { $days } days
    }.
partners = Which business send you come?
no-partner = No business dey ask for your account. Dial the code wey business give you.
needs-login = { $bank } { $account }: log in again, or { $partner } no go see new thing.
needs-login-elsewhere = { $bank } { $account } need new login, no be for this phone. Ask { $partner } how.
ends-soon =
    { $partner } dey see { $data }, { $bank } { $account } for "{ $purpose }". End { $until }. { $days ->
        [one] { $days } day
       *[other] { $days } days
    } from now?
asked-again =
    { $partner }: log in again to { $bank } { $account } for "{ $purpose }": { $data }, { $days ->
        [one] { $days } day
       *[other] { $days } days
    }.
languages = Choose your language:
banks = Choose your bank, or type im name:
methods = { $bank }: which one you dey use?
field = { $bank }: { $field }
field-warned =
    Wetin you type here no be secret: your phone company fit see am.
    { $bank }: { $field }
field-choice = { $bank }: { $choice }
accounts = { $bank }: which account?
accounts-many = { $bank }: which ones? (1,3)
checking = { $bank } dey check your details ({ $seconds } s).
open-page = To log in to { $bank }, open SMS link: { $minutes } min remain.
open-page-approve = To approve for { $bank }, open SMS link: { $minutes } min left.
approve-elsewhere =
    Approve for { $bank } app.
    { $message }
waiting = { $bank } dey work on am. E fit reach { $wait }.
confirming = { $bank } never answer. We still dey ask, e fit reach { $wait }. Abeg no log in there again for now.
confirming-text = { $bank } never answer. We still dey ask, e fit reach { $wait }, then text you. No log in there again for now.
unconfirmed = We no fit know from { $bank } if e work. We no link anything.
request-over = { $partner } don end this request. We no link anything.
mismatched = This no be the { $bank } account wey { $partner } ask for. We no link am.
other-account = This no be the { $bank } account wey you choose. We no link am.
refused = { $bank } no gree open: something no correct, or the bank no dey work. You fit try { $left } more.
refused-wait = { $bank } no gree open. So that e no go lock you out, wait { $wait }.
refused-help = { $bank } no gree open. Wait { $wait }.
refused-codes = { $bank }: wrong code three times. We stop, so that e no go lock you out. We no link anything.
denied = { $bank } say you no approve am. We no link anything.
act-at-bank = { $bank }: { $message }
password-expired = { $bank } want new password. Choose am for the bank, then try again.
unavailable = { $bank } no dey work now. We no send anything.
unsuited = { $bank } dey ask for wetin this phone no fit do.
limited = To keep your { $bank } login safe, wait { $wait } before you try again.
bank-down = { $bank } no dey answer now. Try later.
bank-busy = { $bank } too busy. Try after { $wait }.
will-text = We go text you one time, when e come back. If e no come back inside 24 hours, no text go come. Menu: { $dial }
texts-stopped = You don tell us make we no text you. Text START to the number wey you send STOP, then dial { $dial }
no-banks = The list of banks no dey now.
no-way = You no fit link account here. We no send anything. Ask { $partner } for another way.
resume = You don start to link { $bank }. Continue?
news = { $bank } { $account } don link for { $partner }.
links = Accounts wey you don link:
links-some-unused = Your accounts ({ $count } more: link am again to see):
no-links = You never link any account.
links-unused = Accounts wey nobody use for long: { $count }. To see or end one, link am again, or ask the business.
link = { $bank } { $account } for { $partner } till { $until }
link-needs-login = { $bank } { $account } for { $partner } till { $until }. E need new login.
unlink = Unlink { $bank } { $account }? { $partner } no go see am again.

pin = Type the 4 numbers wey you choose here, no be your bank PIN. You forget? Go back, link the same account again.
choose-pin = Choose 4 new numbers to hide your accounts for this phone. No use your bank PIN.
choose-pin-warned =
    Wetin you type here no be secret: your phone company fit see am.
    Choose 4 new numbers to hide your accounts for this phone. No use your bank PIN.
choose-pin-again = Type the same 4 numbers one more time.
pin-locked = Too many wrong code. Wait { $wait }, dial { $dial } again.

linked = E don work! { $bank } { $account } don link for { $partner }. Dial { $dial } to see am or unlink am.
linked-twice = E don work! { $bank } { $account } don link for { $partner }. E don link before. See both: { $dial }
renewed = E don work! { $partner } fit see { $bank } { $account } again. Menu: { $dial }
consent-renewed = { $partner } fit read { $bank } { $account } till { $until }. Dial { $dial } to stop am.
unlinked = { $bank } { $account } don unlink. { $partner } no go see am again. Menu: { $dial }
blocked = We no fit link { $bank } now. Abeg try tomorrow. Menu: { $dial }
left = Bye bye. Dial { $dial } any time to continue.
left-code = Bye bye. When you don see the code, dial { $dial } to type am.
left-checking = We still dey ask { $bank }. Dial { $dial } after some minutes to see the result.
left-asking = We still dey ask { $bank }, e fit reach { $wait }. To see how e go, dial { $dial }
left-asking-text = We still dey ask { $bank }, e fit reach { $wait }, then we go text you. Or dial { $dial }

## Options

agree = I gree
my-accounts = My accounts
language = { $languages }
leave = Comot
not-now = Not now
back = Go back
more = More
business = Business
others = Other business
other-way = Another way
this-number = This number
go-on = Continue
check-again = Check again
send-again = Send again
start-again = Start again
try-again = Try again
another-bank = Another bank
text-me = Text me when e come back
link-another = Link another bank
link-now = Link bank
reauthorise = Log in again
keep-sharing = Continue to share
stop-sharing = Stop am now
unlink-option = Unlink
unlink-yes = Yes, unlink
protect = Hide with code

## Notes, shown above a screen once

note-choice = Abeg choose from the list.
note-not-found = We no fit link bank with that name here.
note-digits = Abeg use only numbers.
note-date = Type the date as 8 numbers: day, month, year.
note-pattern = Your bank no dey take that one. Abeg check am.
note-letters = Abeg use only letters and numbers.
note-length =
    E must get { $length ->
        [one] { $length } letter or number
       *[other] { $length } letter or number
    }.
note-time = Type am before { $seconds } s pass.
note-too-long = E too long.
note-unlinkable = We no fit link { $bank } here.
note-empty = Abeg type answer.
note-short = E too short. Abeg type everything.
note-short-again = E short well well. If e correct, type am again.
note-wrong-code = E no correct. You fit try { $left } more.
note-by-sms = If the code go come by SMS: comot, read am, dial { $dial }
note-code-length = Code dey get 4 to 8 numbers or letters.
note-code = That code no dey work again.
note-codes = Wrong code too many. Try again after one hour.
note-ask-again = We no send am. Abeg type am again.
note-session-ended = The bank session don end. Abeg type am again.
note-once-more = { $bank } dey ask for the details again.
note-other-way = E cut for here before? Another way fit short pass.
note-star = If * dey inside, abeg type am again.
note-back = E don come back now.
note-changed = { $bank } dey ask for other details. Abeg start again.
note-pin = E no correct. You fit try { $left } more.
note-pin-digits = E must be 4 numbers.
note-pin-easy = E too easy to guess. Choose another one.
note-pin-differs = The two no be the same. Choose again.
note-pin-set = Your code don set.
note-pin-login = First log in again (1), then dial inside 15 min to choose code.
note-pin-off = We no dey offer am here.
note-removed = We dey unlink this account.
note-no-text = E no work. Abeg try again.
note-link-sent = We don send the link again.
note-link-soon = We just send am now. Abeg wait one minute.
note-no-more = No other account dey.
note-not-now = E no fit work now. Try again later.

## Answers of last resort

busy = Service busy. Abeg dial { $dial } after one minute.
sorry = Something spoil for our side. Abeg dial { $dial }
unreadable = Abeg use only letters and numbers. Dial { $dial }
too-long = E too long. Abeg dial { $dial }
too-many = You don try too many times. Abeg wait one minute, then dial { $dial }
elsewhere = You don dial again with this number. Abeg continue for there.
elsewhere-by-text = You don continue by text. Abeg continue for there, or dial { $dial }
expired = Your time don finish. Abeg dial { $dial } to continue.
no-service = This service no dey work for your number.

## Text messages, one part each: other people may read them, so they name no bank and no number

sms-linked = { $partner }: your account don link. To see am or unlink am, dial { $dial }
sms-receipt = { $partner } fit see your bank account now till { $until }. To see or end am, dial { $dial }. If no be you, end am.
sms-not-linked = { $partner }: no account link. To see why and try again, dial { $dial }
sms-mismatched = { $partner }: e no be the account wey dem ask for. We no link anything. For help, dial { $dial }
sms-question = { $partner }: your bank dey ask one more thing. To answer, dial { $dial } before 15 minutes pass.
sms-go-on = { $partner }: you don start to link your bank account. To continue, dial { $dial } before 15 minutes pass.
sms-approve = { $partner }: abeg approve the request for your bank app. To continue, dial { $dial }
sms-page-link = { $partner }: to link your account open { $url } No share this link.
sms-bank-back = { $partner }: the bank wey you ask for don come back. To continue, dial { $dial }
sms-ends-soon = { $partner }: the time wey you gree make dem read your account data go soon end. To continue or to stop am now, dial { $dial }
sms-ended = { $partner } no fit read your account data again: the time wey you gree don end. To link again, dial { $dial }
sms-asked = { $partner } dey ask you to link your bank account. If you know dem and you want am, dial { $dial }
sms-asked-again = { $partner } still dey ask you to link your bank account. If you want am, dial { $dial }. STOP: no more text.

## Texts that answer texts, one part each; those that stand for a screen leave room for a key to go back

sms-help = { $partner }: text LINK or dial { $dial } to link bank account. STOP: no more text. HAUSA, IGBO, YORUBA, ENGLISH, KISWAHILI, FRANCAIS
sms-help-stopped = { $partner }: to link bank account text LINK or dial { $dial }. Text START make we dey text you again.
sms-stop = { $partner } no go text you again. Text START if you want am back.
sms-start = { $partner } go dey text you again. Text STOP if you no want am. To link bank account text LINK or dial { $dial }.
sms-hint = To link bank account with { $partner } text LINK or dial { $dial }. Never text password or code. Text HELP for help.
sms-elsewhere = You don dial { $dial }. Continue for there; or cut am, wait one minute, then text LINK.
sms-lost = Sorry, we no understand. Text LINK to start again, or dial { $dial }.
sms-too-many = The texts too many. Wait one minute, then text LINK or dial { $dial }.
sms-welcome =
    { $partner } wan see your { $data } for "{ $purpose }", { $days ->
        [one] { $days } day
       *[other] { $days } days
    }. E no fit touch your money.
sms-checking = { $partner }: we dey ask your bank, we go text you the answer.
sms-dial = Never text password or code. We no keep am. To continue dial { $dial } before 15 minutes pass.
sms-delete = No text password or code: delete the text wey you send. We no keep am. To continue dial { $dial } before 15 minutes pass.
sms-left = Bye bye. To continue text CONTINUE or dial { $dial } any time.
sms-own-code = No text your own code. We no keep am. Dial { $dial } and type am for there.
sms-accounts = Your accounts no be for text: other people fit read am. To see or change dem, dial { $dial }
sms-phone-only = Dem don text wrong number too many times. Till 24 hours pass you fit agree only for phone: dial { $dial }
sms-limited = To keep your login safe, wait { $wait } before you try again.
sms-approve-elsewhere =
    Approve for your bank app.
    { $message }

## Small words

account-savings = Savings
account-current = Current
account-other = Account
more-accounts = More accounts
approve-code = Code { $code }
call-for-help = Help: { $contact }
sms-agree = To gree reply { $code }
bank-first = abeg first do wetin the bank want.
your-bank = your bank
wait-minutes = { $minutes } min
wait-hours = { $hours } hours
date-format = DDMMYYYY
data-account = bank account
data-balance = balance
data-transactions = money wey enter and comot
data-identity = name
bank-slow = { $bank } (dey slow)
bank-away = { $bank } (not now)
bank-needs-login = { $bank } (log in again)

## What banks call fields and ways to log in, and what data are for

label-username = Username
label-email = E-mail address
label-phone = Phone number
label-password = Password
label-pin = PIN
label-transaction-pin = Transaction PIN
label-app-pin = App PIN
label-account-number = Account number
label-card-number = Card number
label-card-pin = Card PIN
label-customer-id = Customer ID
label-birth-date = Date wey dem born you
label-log-in-with = Log in with
label-question = Security question
label-code = Code
label-code-sent = Type the code wey your bank send you
label-keep-secret = no tell anybody
label-digits = { $field } ({ $length } numbers)
way-internet = Internet banking
way-mobile = Mobile banking
way-card = Card

purpose-loan = loan
purpose-loan-decision = to decide your loan
purpose-credit-limit = credit limit
purpose-income = to check your income
purpose-insurance = insurance
purpose-rent = house rent
purpose-savings = savings
purpose-school-fees = school fees
purpose-account-check = to check your account

## Pages in a browser, that an SMS leads to

page-go-title = Continue to your bank
page-go = For the next page you go log in and agree. Wetin you type there no dey come to us.
page-go-button = Continue
page-back-title = Go back to your phone
page-back = You don finish here: close this page. Your phone go tell you how e go. You fit dial again to see.
page-over-title = This page don end
page-over = Somebody don use am before, or the time don pass. Dial the short code for your phone again to continue.
page-later-title = No be now
page-later = This page no fit open now. Abeg try again after one minute.
