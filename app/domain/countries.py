"""Countries by what people call them: ISO codes, and names in English, Norwegian and Swedish. Pure.

Source: names of Unicode's CLDR (en, nb, nn, sv) and of ISO 3166-1; nicknames such as Holland are ours. How RecMan
writes countries is assumed: `countryId` is a table of its own (docs/facts/recman.md §3.1).
"""

import unicodedata

# One line a country, or two: alpha-2, then alpha-3 and the names.
_NAMES = """
AD AND|Andorra
AE ARE|United Arab Emirates|De forente arabiske emirater
AE Dei sameinte arabiske emirata|Förenade Arabemiraten|UAE|Emiratene
AF AFG|Afghanistan
AG ATG|Antigua & Barbuda|Antigua og Barbuda|Antigua och Barbuda|Antigua and Barbuda
AI AIA|Anguilla
AL ALB|Albania|Albanien
AM ARM|Armenia|Armenien
AO AGO|Angola
AQ ATA|Antarctica|Antarktis
AR ARG|Argentina
AS ASM|American Samoa|Amerikansk Samoa|Amerikanska Samoa
AT AUT|Austria|Østerrike|Austerrike|Österrike
AU AUS|Australia|Australien
AW ABW|Aruba
AX ALA|Åland Islands|Åland
AZ AZE|Azerbaijan|Aserbajdsjan|Azerbajdzjan
BA BIH|Bosnia & Herzegovina|Bosnia-Hercegovina|Bosnien och Hercegovina|Bosnia and Herzegovina|Bosnia
BB BRB|Barbados
BD BGD|Bangladesh
BE BEL|Belgium|Belgia|Belgien|België|Belgique
BF BFA|Burkina Faso
BG BGR|Bulgaria|Bulgarien
BH BHR|Bahrain
BI BDI|Burundi
BJ BEN|Benin
BL BLM|St. Barthélemy|Saint-Barthélemy
BM BMU|Bermuda
BN BRN|Brunei|Brunei Darussalam
BO BOL|Bolivia|Bolivia, Plurinational State of
BQ BES|Caribbean Netherlands|Karibisk Nederland|Karibiska Nederländerna|Bonaire, Sint Eustatius and Saba
BR BRA|Brazil|Brasil|Brasilien
BS BHS|Bahamas
BT BTN|Bhutan
BV BVT|Bouvet Island|Bouvetøya|Bouvetön
BW BWA|Botswana
BY BLR|Belarus|Hviterussland|Vitryssland|Kviterussland
BZ BLZ|Belize
CA CAN|Canada|Kanada
CC CCK|Cocos (Keeling) Islands|Kokosøyene|Kokosøyane|Kokosöarna
CD COD|Congo - Kinshasa|Kongo
CD Kongo-Kinshasa|Congo, The Democratic Republic of the|DR Congo|Democratic Republic of the Congo
CF CAF|Central African Republic
CF Den sentralafrikanske republikk|Den sentralafrikanske republikken|Centralafrikanska republiken
CG COG|Congo - Brazzaville|Kongo-Brazzaville|Congo
CH CHE|Switzerland|Sveits|Schweiz
CI CIV|Côte d'Ivoire|Elfenbenskysten|Elfenbeinskysten|Elfenbenskusten|Ivory Coast
CK COK|Cook Islands|Cookøyene|Cookøyane|Cooköarna
CL CHL|Chile
CM CMR|Cameroon|Kamerun
CN CHN|China|Kina
CO COL|Colombia
CR CRI|Costa Rica
CU CUB|Cuba|Kuba
CV CPV|Cape Verde|Kapp Verde|Kap Verde|Cabo Verde
CW CUW|Curaçao
CX CXR|Christmas Island|Christmasøya|Julön
CY CYP|Cyprus|Kypros|Cypern
CZ CZE|Czechia|Tsjekkia|Tjeckien|Czech Republic|Tsjekkiske republikk|Den tsjekkiske republikk|Tjeckiska republiken|Česko
DE DEU|Germany|Tyskland|Deutschland
DJ DJI|Djibouti
DK DNK|Denmark|Danmark
DM DMA|Dominica
DO DOM|Dominican Republic|Den dominikanske republikk|Den dominikanske republikken|Dominikanska republiken
DZ DZA|Algeria|Algerie|Algeriet
EC ECU|Ecuador
EE EST|Estonia|Estland|Eesti
EG EGY|Egypt|Egypten
EH ESH|Western Sahara|Vest-Sahara|Västsahara
ER ERI|Eritrea
ES ESP|Spain|Spania|Spanien|España
ET ETH|Ethiopia|Etiopia|Etiopien
FI FIN|Finland|Suomi
FJ FJI|Fiji
FK FLK|Falkland Islands|Falklandsøyene|Falklandsøyane|Falklandsöarna|Falkland Islands (Malvinas)
FM FSM|Micronesia|Mikronesiaføderasjonen|Mikronesien|Micronesia, Federated States of
FO FRO|Faroe Islands|Færøyene|Færøyane|Färöarna|Faeroyene
FR FRA|France|Frankrike
GA GAB|Gabon
GB GBR|United Kingdom|Storbritannia|Storbritannien|Great Britain|England
GB Scotland|Wales|Northern Ireland|UK|Skottland|Nord-Irland
GD GRD|Grenada
GE GEO|Georgia|Georgien
GF GUF|French Guiana|Fransk Guyana|Franska Guyana
GG GGY|Guernsey
GH GHA|Ghana
GI GIB|Gibraltar
GL GRL|Greenland|Grønland|Grönland
GM GMB|Gambia
GN GIN|Guinea
GP GLP|Guadeloupe
GQ GNQ|Equatorial Guinea|Ekvatorial-Guinea
GR GRC|Greece|Hellas|Grekland
GS SGS|South Georgia & South Sandwich Islands|Sør-Georgia og Sør-Sandwichøyene
GS Sør-Georgia og Sør-Sandwichøyane|Sydgeorgien och Sydsandwichöarna|South Georgia and the South Sandwich Islands
GT GTM|Guatemala
GU GUM|Guam
GW GNB|Guinea-Bissau
GY GUY|Guyana
HK HKG|Hong Kong SAR China|Hongkong SAR Kina|Hongkong SAR|Hong Kong
HM HMD|Heard & McDonald Islands|Heard- og McDonaldøyene
HM Heardøya og McDonaldøyane|Heardön och McDonaldöarna|Heard Island and McDonald Islands
HN HND|Honduras
HR HRV|Croatia|Kroatia|Kroatien|Hrvatska
HT HTI|Haiti
HU HUN|Hungary|Ungarn|Ungern|Magyarország
ID IDN|Indonesia|Indonesien
IE IRL|Ireland|Irland|Republic of Ireland|Eire
IL ISR|Israel
IM IMN|Isle of Man|Man
IN IND|India|Indien
IO IOT|British Indian Ocean Territory
IO Det britiske territoriet i Indiahavet|Chagosøyane|Brittiska territoriet i Indiska oceanen
IQ IRQ|Iraq|Irak
IR IRN|Iran|Iran, Islamic Republic of|Islamic Republic of Iran
IS ISL|Iceland|Island
IT ITA|Italy|Italia|Italien
JE JEY|Jersey
JM JAM|Jamaica
JO JOR|Jordan|Jordanien
JP JPN|Japan
KE KEN|Kenya
KG KGZ|Kyrgyzstan|Kirgisistan|Kirgizistan
KH KHM|Cambodia|Kambodsja|Kambodja
KI KIR|Kiribati
KM COM|Comoros|Komorene|Komorane|Komorerna
KN KNA|St. Kitts & Nevis|Saint Kitts og Nevis|S:t Kitts och Nevis|Saint Kitts and Nevis
KP PRK|North Korea|Nord-Korea|Korea, Democratic People's Republic of
KR KOR|South Korea|Sør-Korea|Sydkorea|Korea, Republic of|Korea|Republic of Korea
KW KWT|Kuwait
KY CYM|Cayman Islands|Caymanøyene|Caymanøyane|Caymanöarna
KZ KAZ|Kazakhstan|Kasakhstan|Kazakstan
LA LAO|Laos|Lao People's Democratic Republic
LB LBN|Lebanon|Libanon
LC LCA|St. Lucia|Saint Lucia
LI LIE|Liechtenstein
LK LKA|Sri Lanka
LR LBR|Liberia
LS LSO|Lesotho
LT LTU|Lithuania|Litauen|Lietuva
LU LUX|Luxembourg|Luxemburg
LV LVA|Latvia|Lettland|Latvija
LY LBY|Libya|Libyen
MA MAR|Morocco|Marokko|Marocko
MC MCO|Monaco
MD MDA|Moldova|Moldavien|Moldova, Republic of|Moldavia
ME MNE|Montenegro
MF MAF|St. Martin|Saint-Martin|Saint Martin (French part)
MG MDG|Madagascar|Madagaskar
MH MHL|Marshall Islands|Marshalløyene|Marshalløyane|Marshallöarna
MK MKD|North Macedonia|Nord-Makedonia|Nordmakedonien|Makedonia|Macedonia
ML MLI|Mali
MM MMR|Myanmar (Burma)|Myanmar|Burma
MN MNG|Mongolia|Mongoliet
MO MAC|Macao SAR China|Macao SAR Kina|Macao SAR|Macao|Macau
MP MNP|Northern Mariana Islands|Nord-Marianene|Nord-Marianane|Nordmarianerna
MQ MTQ|Martinique
MR MRT|Mauritania|Mauretanien
MS MSR|Montserrat
MT MLT|Malta
MU MUS|Mauritius
MV MDV|Maldives|Maldivene|Maldivane|Maldiverna
MW MWI|Malawi
MX MEX|Mexico|Mexiko
MY MYS|Malaysia
MZ MOZ|Mozambique|Mosambik|Moçambique
NA NAM|Namibia
NC NCL|New Caledonia|Ny-Caledonia|Nya Kaledonien
NE NER|Niger
NF NFK|Norfolk Island|Norfolkøya|Norfolkön
NG NGA|Nigeria
NI NIC|Nicaragua
NL NLD|Netherlands|Nederland|Nederländerna|Holland|The Netherlands
NO NOR|Norway|Norge|Noreg
NP NPL|Nepal
NR NRU|Nauru
NU NIU|Niue
NZ NZL|New Zealand|Nya Zeeland
OM OMN|Oman
PA PAN|Panama
PE PER|Peru
PF PYF|French Polynesia|Fransk Polynesia|Franska Polynesien
PG PNG|Papua New Guinea|Papua Ny-Guinea|Papua Nya Guinea
PH PHL|Philippines|Filippinene|Filippinane|Filippinerna
PK PAK|Pakistan
PL POL|Poland|Polen|Polska
PM SPM|St. Pierre & Miquelon|Saint-Pierre-et-Miquelon|S:t Pierre och Miquelon|Saint Pierre and Miquelon
PN PCN|Pitcairn Islands|Pitcairnøyene|Pitcairn|Pitcairnöarna
PR PRI|Puerto Rico
PS PSE|Palestinian Territories|Det palestinske området
PS Palestinska territorierna|Palestine, State of|Palestine|Palestina
PT PRT|Portugal
PW PLW|Palau
PY PRY|Paraguay
QA QAT|Qatar
RE REU|Réunion
RO ROU|Romania|Rumänien|România
RS SRB|Serbia|Serbien
RU RUS|Russia|Russland|Ryssland|Russian Federation
RW RWA|Rwanda
SA SAU|Saudi Arabia|Saudiarabien
SB SLB|Solomon Islands|Salomonøyene|Salomonøyane|Salomonöarna
SC SYC|Seychelles|Seychellene|Seychellane|Seychellerna
SD SDN|Sudan
SE SWE|Sweden|Sverige
SG SGP|Singapore
SH SHN|St. Helena|Saint Helena|Saint Helena, Ascension and Tristan da Cunha
SI SVN|Slovenia|Slovenien
SJ SJM|Svalbard & Jan Mayen|Svalbard og Jan Mayen|Svalbard och Jan Mayen|Svalbard and Jan Mayen|Svalbard|Jan Mayen
SK SVK|Slovakia|Slovakien
SL SLE|Sierra Leone
SM SMR|San Marino
SN SEN|Senegal
SO SOM|Somalia
SR SUR|Suriname|Surinam
SS SSD|South Sudan|Sør-Sudan|Sydsudan
ST STP|São Tomé & Príncipe|São Tomé og Príncipe|São Tomé och Príncipe|Sao Tome and Principe
SV SLV|El Salvador
SX SXM|Sint Maarten|Sint Maarten (Dutch part)
SY SYR|Syria|Syrien|Syrian Arab Republic
SZ SWZ|Eswatini|Swaziland
TC TCA|Turks & Caicos Islands|Turks- og Caicosøyene
TC Turks- og Caicosøyane|Turks- och Caicosöarna|Turks and Caicos Islands
TD TCD|Chad|Tsjad|Tchad
TF ATF|French Southern Territories|De franske sørterritorier|Dei franske sørterritoria|Franska sydterritorierna
TG TGO|Togo
TH THA|Thailand
TJ TJK|Tajikistan|Tadsjikistan|Tadzjikistan
TK TKL|Tokelau|Tokelauöarna
TL TLS|Timor-Leste|Øst-Timor|Aust-Timor|Östtimor
TM TKM|Turkmenistan
TN TUN|Tunisia|Tunisien
TO TON|Tonga
TR TUR|Türkiye|Tyrkia|Turkiet|Turkey
TT TTO|Trinidad & Tobago|Trinidad og Tobago|Trinidad och Tobago|Trinidad and Tobago
TV TUV|Tuvalu
TW TWN|Taiwan|Taiwan, Province of China
TZ TZA|Tanzania|Tanzania, United Republic of|United Republic of Tanzania
UA UKR|Ukraine|Ukraina
UG UGA|Uganda
UM UMI|U.S. Outlying Islands|USAs ytre øyer|USAs ytre småøyar|USA:s yttre öar|United States Minor Outlying Islands
US USA|United States|United States of America|Amerikas forente stater|Förenta staterna
UY URY|Uruguay
UZ UZB|Uzbekistan|Usbekistan
VA VAT|Vatican City|Vatikanstaten|Holy See (Vatican City State)|Vatican
VC VCT|St. Vincent & Grenadines|St. Vincent og Grenadinene
VC St. Vincent og Grenadinane|S:t Vincent och Grenadinerna|Saint Vincent and the Grenadines
VE VEN|Venezuela|Venezuela, Bolivarian Republic of
VG VGB|British Virgin Islands|De britiske jomfruøyene
VG Dei britiske Jomfruøyane|Brittiska Jungfruöarna|Virgin Islands, British
VI VIR|U.S. Virgin Islands|De amerikanske jomfruøyene
VI Dei amerikanske Jomfruøyane|Amerikanska Jungfruöarna|Virgin Islands, U.S.
VN VNM|Vietnam
VU VUT|Vanuatu
WF WLF|Wallis & Futuna|Wallis og Futuna|Wallis- och Futunaöarna|Wallis and Futuna
WS WSM|Samoa
XK Kosovo|XKX
YE YEM|Yemen|Jemen
YT MYT|Mayotte
ZA ZAF|South Africa|Sør-Afrika|Sydafrika
ZM ZMB|Zambia
ZW ZWE|Zimbabwe
"""
# What is no country of its own in the list, and is written like one.
_CODES_OF_OTHERS = {"EL": "GR", "UK": "GB", "XI": "GB"}


def _plain(name: str) -> str:
    """Letters and digits without accents and case."""
    return "".join(one for one in unicodedata.normalize("NFKD", name.casefold()) if one.isalnum())


def _read_names() -> dict[str, str]:
    rows = (line.partition(" ") for line in _NAMES.strip().splitlines())
    return {_plain(name): code for code, _, names in rows for name in (code, *names.split("|"))}


_BY_NAME = _read_names()
COUNTRY_CODES = frozenset(_BY_NAME.values())


def find_country_code(text: str) -> str:
    """The country's ISO 3166 alpha-2 code, from a code of two or three letters or from a name; empty for anything else.

    A name may carry a remark in brackets, or its code: `Norge (NO)`, `NO - Norge`.
    """
    word = text.strip()
    found = _CODES_OF_OTHERS.get(word.upper()) or _BY_NAME.get(_plain(word))
    if found or not word:
        return found or ""
    parts = word.replace("(", "-").replace(")", "-").split("-")
    known = {code for part in parts if (code := _BY_NAME.get(_plain(part)))}
    return known.pop() if len(known) == 1 else ""
