### English. Reviewed: this is the text the others are translated from.
### Every message must fit a keypad phone: plain words, short lines, nothing outside GSM-7.
### $partner the business, $data what it wants to read, $purpose what it wants the data for, $days how long, $bank the institution, $field what the
### bank calls the field, $choice the same above its answers, $account the last digits of an account, $seconds, $minutes, $hours and $wait durations, $left tries left, $count how many,
### $dial what to dial, $message what the bank says, $code what its app shows too, $url the address of a page.

## Screens

welcome =
    { $partner } asks to see your { $data } for "{ $purpose }", { $days ->
        [one] { $days } day
       *[other] { $days } days
    }. It cannot move money. Bank login needed.
welcome-again =
    { $partner }: link an old account again and share { $data } for "{ $purpose }", { $days ->
        [one] { $days } day
       *[other] { $days } days
    }.
partners = Which business sent you here?
no-partner = No business asks for your account now. Dial the code a business gave you.
needs-login = { $bank } { $account }: log in there again, or { $partner } sees nothing new.
needs-login-elsewhere = { $bank } { $account } needs a new login, not on this phone. Ask { $partner } how.
ends-soon =
    { $partner } reads your { $data } at { $bank } { $account } for "{ $purpose }". Ends { $until }. { $days ->
        [one] { $days } day
       *[other] { $days } days
    } from today?
asked-again =
    { $partner }: log in again to { $bank } { $account } for "{ $purpose }": { $data }, { $days ->
        [one] { $days } day
       *[other] { $days } days
    }.
languages = Choose your language:
banks = Choose your bank, or type its name:
methods = { $bank }: which one do you use?
field = { $bank }: { $field }
field-warned =
    What you type here is not secret: your phone company can read it.
    { $bank }: { $field }
field-choice = { $bank }: { $choice }
accounts = { $bank }: which account?
accounts-many = { $bank }: which? (1,3)
checking = { $bank } is checking your details ({ $seconds } s).
open-page = To log in to { $bank }, open the SMS link: { $minutes } min left.
open-page-approve = To approve at { $bank }, open the SMS link: { $minutes } min left.
approve-elsewhere =
    Approve in the { $bank } app.
    { $message }
waiting = { $bank } is working on it. It can take up to { $wait }.
confirming = { $bank } has not answered yet. We keep asking, up to { $wait }. Do not log in there again for now.
confirming-text = { $bank } has not answered yet. We keep asking, up to { $wait }, and text you. Do not log in there again for now.
unconfirmed = We could not find out from { $bank } if it worked. Nothing was linked.
request-over = { $partner } has ended this request. Nothing was linked.
mismatched = This is not the { $bank } account that { $partner } asked for. It was not linked.
other-account = This is not the { $bank } account that you chose. It is not linked.
refused = { $bank } did not let you in: a wrong detail, or the bank is down. Tries left: { $left }.
refused-wait = { $bank } did not let you in. So that it does not lock you out, wait { $wait }.
refused-help = { $bank } did not let you in: wait { $wait }
refused-codes = { $bank }: three wrong codes. We stopped, so that it does not lock you out. Nothing was linked.
denied = { $bank } says that you did not approve. Nothing was linked.
act-at-bank = { $bank }: { $message }
password-expired = { $bank } wants a new password. Choose it at the bank, then try again.
unavailable = { $bank } is not working now. Nothing you typed was sent.
unsuited = { $bank } asks for something a keypad phone cannot do. It cannot be linked here.
limited = To keep your { $bank } login safe, wait { $wait } before you try again.
bank-down = { $bank } is not answering now. Try later.
bank-busy = { $bank } is busy now. Try again in { $wait }.
will-text = We will text you once, when it is back. If it is not back within 24 hours, no text comes. Menu: { $dial }
texts-stopped = You told us to send no texts. Text START to the number you sent STOP to, then dial { $dial }
no-banks = The list of banks is not available now.
no-way = No account can be linked on this line. Nothing was sent. Ask { $partner } how else.
resume = You began to link { $bank }. Go on?
news = { $bank } { $account } is linked for { $partner }.
links = Your linked accounts:
links-some-unused = Your accounts ({ $count } more: link them again to see):
no-links = You have no linked accounts.
links-unused = Accounts not used for long: { $count }. To see or end one, link it again, or ask the business it is for.
link = { $bank } { $account } for { $partner } until { $until }.
link-needs-login = { $bank } { $account } for { $partner } until { $until }. Needs a new login.
unlink = Unlink { $bank } { $account }? { $partner } will not read it any more.

pin = Type the 4 digits you chose here, not your bank PIN. Forgotten? Go back and link the same account again.
choose-pin = Choose 4 new digits to hide your accounts on this phone. Do not use your bank PIN.
choose-pin-warned =
    What you type here is not secret: your phone company can read it.
    Choose 4 new digits to hide your accounts on this phone. Do not use your bank PIN.
choose-pin-again = Type the same 4 digits once more.
pin-locked = Too many wrong codes. Wait { $wait } and dial { $dial } again.

linked = Done! { $bank } { $account } is linked for { $partner }. Dial { $dial } to see or unlink it.
linked-twice = Done! { $bank } { $account } is linked for { $partner }. Linked before: dial { $dial } to see both.
renewed = Done! { $bank } { $account } is up to date again for { $partner }. Menu: { $dial }
consent-renewed = { $partner } may read { $bank } { $account } until { $until }. Dial { $dial } to stop it.
unlinked = { $bank } { $account } is unlinked. { $partner } will not read it any more. Menu: { $dial }
blocked = We cannot link { $bank } just now. Please try tomorrow. Menu: { $dial }
left = Goodbye. Dial { $dial } at any time to go on.
left-code = Goodbye. When you have the code, dial { $dial } to type it.
left-checking = We keep asking { $bank }. Dial { $dial } in a few minutes to see the result.
left-asking = We keep asking { $bank }, up to { $wait }. To see how it went, dial { $dial }
left-asking-text = We keep asking { $bank }, up to { $wait }, and then text you. Or dial { $dial }

## Options

agree = I agree
my-accounts = My accounts
language = { $languages }
leave = Leave
not-now = Not now
back = Back
more = More
business = Business
others = Other businesses
other-way = Other way
this-number = This number
go-on = Go on
check-again = Check again
send-again = Send again
start-again = Start again
try-again = Try again
another-bank = Another bank
text-me = Text me when it is back
link-another = Link another bank
link-now = Link a bank
reauthorise = Log in again
keep-sharing = Keep sharing
stop-sharing = Stop now
unlink-option = Unlink
unlink-yes = Yes, unlink
protect = Hide with a code

## Notes, shown above a screen once

note-choice = Choose from the list.
note-not-found = We cannot link a bank of that name here.
note-digits = Please use digits only.
note-date = Type the date as 8 digits: day, month, year.
note-pattern = Your bank does not take that. Please check it.
note-letters = Please use letters and numbers only.
note-length =
    It must have { $length ->
        [one] { $length } letter or number
       *[other] { $length } letters or numbers
    }.
note-time = Type it within { $seconds } s.
note-too-long = That is too long.
note-unlinkable = { $bank } cannot be linked here.
note-empty = Please type an answer.
note-short = That is too short. Please type all of it.
note-short-again = That is very short. If it is right, type it again.
note-wrong-code = That was not right. Tries left: { $left }.
note-by-sms = If the code comes by SMS: leave, read it, dial { $dial }
note-code-length = A code has 4 to 8 numbers or letters.
note-code = That code is not valid any more.
note-codes = Too many wrong codes. Try again in an hour.
note-ask-again = It was not sent. Please type it again.
note-session-ended = The bank's session had ended. Please type it again.
note-once-more = { $bank } asks for the details once more.
note-other-way = Cut off here before? Another way may be shorter.
note-star = If * is part of it, type it again.
note-back = It is back now.
note-changed = { $bank } asks for other details. Please start again.
note-pin = That was not right. Tries left: { $left }.
note-pin-digits = It must be 4 digits.
note-pin-easy = Too easy to guess. Choose another.
note-pin-differs = The two were not the same. Choose again.
note-pin-set = Your code is set.
note-pin-login = First log in again (1), then dial within 15 min to choose a code.
note-pin-off = That is not offered here.
note-removed = This account is being unlinked.
note-no-text = That did not work. Please try again.
note-link-sent = We sent the link again.
note-link-soon = It was sent just now. Please wait a minute.
note-no-more = There are no more accounts.
note-not-now = That is not possible now. Try again later.

## Answers of last resort

busy = Service is busy. Please dial { $dial } in a minute.
sorry = Something went wrong on our side. Please dial { $dial }
unreadable = Please use letters and numbers only. Dial { $dial }
too-long = That was too long. Please dial { $dial }
too-many = Too many tries. Please wait a minute, then dial { $dial }
elsewhere = You dialled again on this number. Please go on there.
elsewhere-by-text = You went on by text. Please go on there, or dial { $dial }
expired = Time is up. Please dial { $dial } to go on.
no-service = This service does not work for your number.

## Text messages, one part each: other people may read them, so they name no bank and no number

sms-linked = { $partner }: your account is linked. To see or unlink it, dial { $dial }
sms-receipt = { $partner } can now see your bank account until { $until }. To see or end this, dial { $dial }. If it was not you, end it.
sms-not-linked = { $partner }: no account was linked. To see why and try again, dial { $dial }
sms-mismatched = { $partner }: it was not the account that was asked for. Nothing was linked. For help, dial { $dial }
sms-question = { $partner }: your bank asks one more thing. To answer, dial { $dial } within 15 minutes.
sms-go-on = { $partner }: you began to link your bank account. To go on, dial { $dial } within 15 minutes.
sms-approve = { $partner }: please approve the request in your bank's app. To go on, dial { $dial }
sms-page-link = { $partner }: to link your account open { $url } Do not share this link.
sms-bank-back = { $partner }: the bank you asked for is back. To go on, dial { $dial }
sms-ends-soon = { $partner }: your consent to share your account data ends soon. To keep sharing or to stop now, dial { $dial }
sms-ended = { $partner } can no longer read your account data: the time you agreed to is over. To link again, dial { $dial }
sms-asked = { $partner } asks you to link your bank account. If you know them and want this, dial { $dial }
sms-asked-again = { $partner } still asks you to link your bank account. If you want this, dial { $dial }. STOP: no more texts.

## Texts that answer texts, one part each; those that stand for a screen leave room for a key to go back

sms-help = { $partner }: text LINK or dial { $dial } to link a bank account. STOP: no more texts. HAUSA, IGBO, YORUBA, PIDGIN, KISWAHILI, FRANCAIS
sms-help-stopped = { $partner }: to link a bank account text LINK or dial { $dial }. Text START to get texts again.
sms-stop = You will get no more texts from { $partner }. Text START to get them again.
sms-start = You will get texts from { $partner } again. Text STOP for no more. To link a bank account text LINK or dial { $dial }.
sms-hint = To link a bank account with { $partner } text LINK or dial { $dial }. Never text a password or a code. Text HELP for help.
sms-elsewhere = You have dialled { $dial }. Go on there; or hang up, wait a minute and text LINK.
sms-lost = Sorry, that was not understood. Text LINK to begin again, or dial { $dial }.
sms-too-many = Too many texts at once. Wait a minute, then text LINK or dial { $dial }.
sms-welcome =
    { $partner } asks to see your { $data } for "{ $purpose }", { $days ->
        [one] { $days } day
       *[other] { $days } days
    }. It cannot move money.
sms-checking = { $partner }: we are asking your bank, and will text you the answer.
sms-dial = Never text a password or code. We kept nothing. To go on dial { $dial } within 15 minutes.
sms-delete = Never text a password or code: delete the text you sent. We kept nothing. To go on dial { $dial } within 15 minutes.
sms-left = Goodbye. To go on text CONTINUE or dial { $dial } at any time.
sms-own-code = Never text your own code. We kept nothing. Dial { $dial } and type it there.
sms-accounts = Your accounts are not for texts: others may read them. To see or change them, dial { $dial }
sms-phone-only = Too many wrong numbers were texted. For up to 24 hours you can agree on the phone only: dial { $dial }
sms-limited = To keep your login safe, wait { $wait } before you try again.
sms-approve-elsewhere =
    Approve in your bank's app.
    { $message }

## Small words

account-savings = Savings
account-current = Current
account-other = Account
more-accounts = More accounts
approve-code = Code { $code }
call-for-help = Help: { $contact }
sms-agree = To agree reply { $code }
bank-first = please do what the bank asks of you first.
your-bank = your bank
wait-minutes = { $minutes } min
wait-hours = { $hours } hours
date-format = DDMMYYYY
data-account = bank account
data-balance = balance
data-transactions = payments in and out
data-identity = name
bank-slow = { $bank } (slow now)
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
label-birth-date = Date of birth
label-log-in-with = Log in with
label-question = Security question
label-code = Code
label-code-sent = Type the code that your bank sent you
label-keep-secret = tell nobody
label-digits = { $field } ({ $length } digits)
way-internet = Internet banking
way-mobile = Mobile banking
way-card = Card

purpose-loan = a loan
purpose-loan-decision = a loan decision
purpose-credit-limit = a credit limit
purpose-income = checking your income
purpose-insurance = insurance
purpose-rent = rent
purpose-savings = savings
purpose-school-fees = school fees
purpose-account-check = checking your account

## Pages in a browser, that an SMS leads to

page-go-title = Continue to your bank
page-go = On the next page you log in and agree. What you type there does not come to us.
page-go-button = Continue
page-back-title = Return to your phone
page-back = Your part here is done: close this page. Your phone tells you how it went. You may also dial again to see.
page-over-title = This page is over
page-over = It was used before, or its time is over. Dial the short code on your phone again to go on.
page-later-title = Not now
page-later = This page cannot be opened at the moment. Please try again in a minute.
