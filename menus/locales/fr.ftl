### French. DRAFT: not yet reviewed by a native reader.
### GSM-7 has only é è à ù and capital Ç of the French accents; other letters are written without.

## Screens

welcome =
    { $partner } veut voir { $data } pour "{ $purpose }", { $days ->
        [one] { $days } jour
       *[other] { $days } jours
    }. Aucun retrait. Accès bancaire requis.
welcome-again =
    { $partner } : relier un ancien compte, lire { $data } pour "{ $purpose }", { $days ->
        [one] { $days } jour
       *[other] { $days } jours
    }.
partners = Quelle entreprise vous envoie ?
no-partner = Aucune entreprise ne demande de compte. Composez le code de l'entreprise.
needs-login = { $bank } { $account } : reconnectez-vous, sinon { $partner } ne voit rien de neuf.
needs-login-elsewhere = { $bank } { $account } : à reconnecter, pas sur ce téléphone. Voyez { $partner }.
ends-soon =
    { $partner } lit { $data } à { $bank } { $account } pour "{ $purpose }". Fin { $until }. { $days ->
        [one] { $days } jour
       *[other] { $days } jours
    } dès ce jour ?
asked-again =
    { $partner } : rouvrir { $bank } { $account } pour "{ $purpose }": { $data }, { $days ->
        [one] { $days } jour
       *[other] { $days } jours
    }.
languages = Choisissez la langue :
banks = Choisissez la banque ou tapez son nom :
methods = { $bank } : lequel utilisez-vous ?
field = { $bank } : { $field }
field-warned =
    Ce que vous tapez n'est pas secret : votre opérateur le voit.
    { $bank } : { $field }
field-choice = { $bank } : { $choice }
accounts = { $bank } : quel compte ?
accounts-many = { $bank } : lesquels ? (1,3)
checking = { $bank } vérifie vos données ({ $seconds } s).
open-page = Connexion à { $bank } : ouvrez le lien SMS, reste { $minutes } min.
open-page-approve = Accord de { $bank } : ouvrez le lien SMS, reste { $minutes } min.
approve-elsewhere =
    Validez : appli { $bank }.
    { $message }
waiting = { $bank } traite la demande. Cela peut prendre { $wait }.
confirming = { $bank } n'a pas répondu. Nous attendons, { $wait } au plus. Ne vous y reconnectez pas encore.
confirming-text = { $bank } n'a pas répondu. Nous attendons, { $wait } au plus, puis un SMS. N'y retournez pas encore.
unconfirmed = Pas de confirmation de { $bank }. Aucun compte lié.
request-over = { $partner } a mis fin à cette demande. Aucun compte lié.
mismatched = Ce n'est pas le compte { $bank } que { $partner } a demandé. Il n'est pas lié.
other-account = Ce n'est pas le compte { $bank } que vous avez choisi. Il n'est pas lié.
refused = { $bank } ne vous a pas laissé entrer : donnée fausse, ou banque en panne. Essais restants : { $left }.
refused-wait = { $bank } ne vous a pas laissé entrer. Pour qu'elle ne vous bloque pas, attendez { $wait }.
refused-help = { $bank } a refusé. Attendez { $wait }.
refused-codes = { $bank } : trois codes faux. Nous en restons là, pour qu'elle ne vous bloque pas. Rien n'est lié.
denied = { $bank } dit que vous n'avez pas accepté. Aucun compte lié.
act-at-bank = { $bank } : { $message }
password-expired = { $bank } veut un nouveau mot de passe. Changez-le là-bas.
unavailable = { $bank } est indisponible. Rien n'a été envoyé.
unsuited = { $bank } demande une chose que ce téléphone ne peut pas faire.
limited = Pour protéger votre accès { $bank }, attendez { $wait } avant de réessayer.
bank-down = { $bank } ne répond pas. Réessayez plus tard.
bank-busy = { $bank } est occupée. Réessayez dans { $wait }.
will-text = Un seul SMS vous dira quand la banque répond. Rien en 24 heures : pas de SMS. Menu : { $dial }
texts-stopped = Plus de SMS, comme demandé. Envoyez START au numéro où vous avez envoyé STOP, puis composez { $dial }
no-banks = La liste des banques est indisponible.
no-way = Aucun compte ne se lie sur cette ligne. Rien n'est parti. Voyez { $partner }.
resume = Vous aviez commencé avec { $bank }. Continuer ?
news = { $bank } { $account } est lié pour { $partner }.
links = Vos comptes liés :
links-some-unused = Vos comptes ({ $count } autres : à relier) :
no-links = Vous n'avez aucun compte lié.
links-unused = Comptes longtemps sans usage : { $count }. Pour voir ou stopper, reliez-les ou voyez l'entreprise.
link = { $bank } { $account } pour { $partner }, fin { $until }.
link-needs-login = { $bank } { $account } pour { $partner }, fin { $until }. Connexion à refaire.
unlink = Délier { $bank } { $account } ? { $partner } ne le verra plus.

pin = Tapez les 4 chiffres choisis ici, pas le code de votre carte. Oublié ? Revenez et liez ce compte à nouveau.
choose-pin = Choisissez 4 chiffres pour cacher vos comptes sur ce téléphone. Pas le code de votre carte.
choose-pin-warned =
    Ce que vous tapez n'est pas secret : votre opérateur le voit.
    Choisissez 4 chiffres pour cacher vos comptes sur ce téléphone. Pas le code de votre carte.
choose-pin-again = Tapez ces 4 chiffres encore une fois.
pin-locked = Trop de codes faux. Attendez { $wait } puis composez { $dial }

linked = C'est fait ! { $bank } { $account } est lié pour { $partner }. Voir ou délier : { $dial }
linked-twice = C'est fait ! { $bank } { $account } est lié pour { $partner }. Déjà lié. Voir les deux : { $dial }
renewed = C'est fait ! { $bank } { $account } est à jour pour { $partner }. Menu : { $dial }
consent-renewed = { $partner } peut lire { $bank } { $account } jusqu'au { $until }. Composez { $dial } pour stopper.
unlinked = { $bank } { $account } est délié. { $partner } ne le verra plus. Menu : { $dial }
blocked = Impossible de lier { $bank } pour le moment. Réessayez demain. Menu : { $dial }
left = Au revoir. Composez { $dial } quand vous voulez pour continuer.
left-code = Au revoir. Quand vous avez le code, composez { $dial } pour le taper.
left-checking = Nous attendons { $bank }. Composez { $dial } dans quelques minutes pour voir.
left-asking = Nous attendons { $bank }, { $wait } au plus. Pour voir, composez { $dial }
left-asking-text = Nous attendons { $bank }, { $wait } au plus, puis un SMS viendra. Ou composez { $dial }

## Options

agree = J'accepte
my-accounts = Mes comptes
language = { $languages }
leave = Quitter
not-now = Plus tard
back = Retour
more = Suite
business = Pro
others = Autres entreprises
other-way = Autre choix
this-number = Ce numéro
go-on = Continuer
check-again = Vérifier encore
send-again = Renvoyer
start-again = Recommencer
try-again = Réessayer
another-bank = Autre banque
text-me = SMS quand elle marche
link-another = Lier une autre banque
link-now = Lier une banque
reauthorise = Se reconnecter
keep-sharing = Continuer
stop-sharing = Stopper maintenant
unlink-option = Délier
unlink-yes = Oui, délier
protect = Cacher par un code

## Notes, shown above a screen once

note-choice = Choisissez dans la liste.
note-not-found = Nous ne lions pas de banque de ce nom ici.
note-digits = Des chiffres seulement.
note-date = Tapez la date en 8 chiffres : jour, mois, année.
note-pattern = Votre banque ne prend pas cela. Vérifiez.
note-letters = Lettres et chiffres seulement.
note-length =
    Il faut { $length ->
        [one] { $length } chiffre ou lettre
       *[other] { $length } chiffres ou lettres
    }.
note-time = Tapez en moins de { $seconds } s.
note-too-long = C'est trop long.
note-unlinkable = Nous ne lions pas { $bank } ici.
note-empty = Tapez une réponse.
note-short = C'est trop court. Tapez tout.
note-short-again = C'est très court. Si c'est juste, tapez-le encore.
note-wrong-code = Ce n'est pas juste. Essais restants : { $left }.
note-by-sms = Si le code arrive par SMS : quittez, lisez-le, composez { $dial }
note-code-length = Un code a 4 à 8 chiffres ou lettres.
note-code = Ce code n'est plus valable.
note-codes = Trop de codes faux. Réessayez dans une heure.
note-ask-again = Rien n'a été envoyé. Tapez encore une fois.
note-session-ended = La session de la banque était terminée. Tapez encore une fois.
note-once-more = { $bank } redemande les informations.
note-other-way = Coupure ici ? Un autre choix peut aller plus vite.
note-star = Si * en fait partie, tapez encore une fois.
note-back = Elle est de retour.
note-changed = { $bank } demande d'autres données. Recommencez.
note-pin = Ce n'est pas juste. Essais restants : { $left }.
note-pin-digits = Il faut 4 chiffres.
note-pin-easy = Trop facile à deviner. Choisissez-en un autre.
note-pin-differs = Les deux codes sont différents. Choisissez encore.
note-pin-set = Votre code est noté.
note-pin-login = Reconnectez-vous d'abord (1), puis appelez sous 15 min pour un code.
note-pin-off = Ce n'est pas proposé ici.
note-removed = On délie ce compte.
note-no-text = Cela n'a pas marché. Réessayez.
note-link-sent = Nous avons renvoyé le lien.
note-link-soon = Il vient de partir. Attendez une minute.
note-no-more = Il n'y a pas d'autre compte.
note-not-now = Impossible pour le moment. Réessayez plus tard.

## Answers of last resort

busy = Service occupé. Composez { $dial } dans une minute.
sorry = Une erreur est survenue chez nous. Composez { $dial }
unreadable = Lettres et chiffres seulement. Composez { $dial }
too-long = C'était trop long. Composez { $dial }
too-many = Trop d'essais. Attendez une minute, puis composez { $dial }
elsewhere = Vous avez refait le code avec ce numéro. Continuez là-bas.
elsewhere-by-text = Vous avez continué par SMS. Continuez par SMS ou composez { $dial }
expired = Le temps est fini. Composez { $dial } pour continuer.
no-service = Ce service ne marche pas avec votre numéro.

## Text messages, one part each: other people may read them, so they name no bank and no number

sms-linked = { $partner } : votre compte est lié. Pour le voir ou délier, composez { $dial }
sms-receipt = { $partner } peut voir votre compte bancaire jusqu'au { $until }. Pour voir ou y mettre fin, composez { $dial }. Pas vous ? Mettez-y fin.
sms-not-linked = { $partner } : aucun compte n'est lié. Pour voir pourquoi et réessayer, composez { $dial }
sms-mismatched = { $partner } : ce n'est pas le compte demandé. Aucun compte n'est lié. Pour de l'aide, composez { $dial }
sms-question = { $partner } : votre banque pose une question de plus. Pour y répondre, composez { $dial } sous 15 minutes.
sms-go-on = { $partner } : vous avez commencé à lier votre compte bancaire. Pour continuer, composez { $dial } sous 15 minutes.
sms-approve = { $partner } : validez la demande dans l'appli de votre banque. Pour continuer, composez { $dial }
sms-page-link = { $partner } : pour lier un compte, ouvrez { $url } Ne partagez pas ce lien.
sms-bank-back = { $partner } : la banque demandée est de retour. Pour continuer, composez { $dial }
sms-ends-soon = { $partner } : votre accord pour lire votre compte se termine sous peu. Pour continuer ou stopper, composez { $dial }
sms-ended = { $partner } ne peut plus lire votre compte : la durée que vous avez acceptée est finie. Pour relier, composez { $dial }
sms-asked = { $partner } vous demande de lier votre compte bancaire. Si vous les connaissez et le voulez, composez { $dial }
sms-asked-again = { $partner } vous demande encore de lier votre compte bancaire. Si vous le voulez, composez { $dial }. STOP : plus de SMS.

## Texts that answer texts, one part each; those that stand for a screen leave room for a key to go back

sms-help = { $partner } : envoyez LINK ou composez { $dial } pour lier un compte. STOP : plus de SMS. ENGLISH, HAUSA, IGBO, YORUBA, PIDGIN, KISWAHILI
sms-help-stopped = { $partner } : pour lier un compte, envoyez LINK ou composez { $dial }. START pour recevoir à nouveau des SMS.
sms-stop = Vous ne recevrez plus de SMS de { $partner }. Envoyez START pour en recevoir à nouveau.
sms-start = Vous recevrez à nouveau les SMS de { $partner }. STOP pour ne plus en avoir. Pour lier un compte : LINK ou { $dial }.
sms-hint = Pour lier un compte avec { $partner }, envoyez LINK ou composez { $dial }. Jamais de mot de passe ni de code par SMS. AIDE pour l'aide.
sms-elsewhere = Vous avez composé { $dial }. Continuez là-bas ; ou raccrochez, attendez une minute et envoyez LINK.
sms-lost = Désolé, nous n'avons pas compris. Envoyez LINK pour recommencer, ou composez { $dial }.
sms-too-many = Trop de SMS à la fois. Attendez une minute, puis envoyez LINK ou composez { $dial }.
sms-welcome =
    { $partner } veut voir { $data } pour "{ $purpose }", { $days ->
        [one] { $days } jour
       *[other] { $days } jours
    }, sans toucher l'argent.
sms-checking = { $partner } : nous demandons à votre banque, la réponse viendra par SMS.
sms-dial = Ni mot de passe ni code par SMS, rien n'est gardé. Pour continuer, composez { $dial } sous 15 minutes.
sms-delete = Ni mot de passe ni code par SMS : effacez le SMS envoyé. Rien n'est gardé. Pour continuer, composez { $dial } sous 15 minutes.
sms-left = Au revoir. Pour continuer, envoyez CONTINUER ou composez { $dial } à tout moment.
sms-own-code = Pas de code personnel par SMS, rien n'est gardé. Composez { $dial } et tapez-le là-bas.
sms-accounts = Pas de comptes par SMS : d'autres peuvent les lire. Pour les voir ou les changer, composez { $dial }
sms-phone-only = Trop de numéros faux par SMS. Pendant 24 heures au plus, acceptez par téléphone : composez { $dial }
sms-limited = Pour protéger votre accès, attendez { $wait } avant de réessayer.
sms-approve-elsewhere =
    Validez dans l'appli de votre banque.
    { $message }

## Small words

account-savings = Épargne
account-current = Courant
account-other = Compte
more-accounts = Autres comptes
approve-code = Code { $code }
call-for-help = Aide : { $contact }
sms-agree = Pour accepter, envoyez { $code }
bank-first = faites d'abord ce que la banque demande.
your-bank = votre banque
wait-minutes = { $minutes } min
wait-hours = { $hours } h
date-format = JJMMAAAA
data-account = votre compte bancaire
data-balance = votre solde
data-transactions = vos entrées et sorties d'argent
data-identity = votre nom
bank-slow = { $bank } (lente)
bank-away = { $bank } (en panne)
bank-needs-login = { $bank } (se reconnecter)

## What banks call fields and ways to log in, and what data are for

label-username = Identifiant
label-email = Adresse e-mail
label-phone = Numéro de téléphone
label-password = Mot de passe
label-pin = Code PIN
label-transaction-pin = Code PIN de transaction
label-app-pin = Code PIN de l'appli
label-account-number = Numéro de compte
label-card-number = Numéro de carte
label-card-pin = Code PIN de la carte
label-customer-id = Numéro client
label-birth-date = Date de naissance
label-log-in-with = Se connecter avec
label-question = Question de sécurité
label-code = Code
label-code-sent = Tapez le code envoyé par la banque
label-keep-secret = ne le dites à personne
label-digits = { $field } ({ $length } chiffres)
way-internet = Banque par internet
way-mobile = Banque mobile
way-card = Carte

purpose-loan = un pret
purpose-loan-decision = une décision de pret
purpose-credit-limit = un plafond de crédit
purpose-income = vérifier vos revenus
purpose-insurance = une assurance
purpose-rent = un loyer
purpose-savings = une épargne
purpose-school-fees = les frais scolaires
purpose-account-check = vérifier votre compte

## Pages in a browser, that an SMS leads to

page-go-title = Continuer vers votre banque
page-go = A la page suivante, vous vous connectez et donnez votre accord. Ce que vous y tapez ne nous parvient pas.
page-go-button = Continuer
page-back-title = Revenez à votre téléphone
page-back = C'est fini ici : fermez cette page. Votre téléphone vous dira la suite. Vous pouvez aussi recomposer le code pour voir.
page-over-title = Cette page est terminée
page-over = Elle a déjà servi, ou son délai est passé. Recomposez le code court sur votre téléphone pour continuer.
page-later-title = Pas maintenant
page-later = Cette page ne peut pas s'ouvrir en ce moment. Réessayez dans une minute.
