//! Words that speak for or against a person's name.
//!
//! Given names of many cultures are weak evidence: a name that is also a word or a place
//! ([`is_ambiguous`]) counts only with something else beside it.

use std::{collections::HashSet, sync::LazyLock};

use foldhash::fast::FixedState;

/// The words are ours, so nobody can choose them to collide.
type Words = HashSet<&'static str, FixedState>;
type Set = LazyLock<Words>;

fn set(words: &'static str) -> Words {
    words.split_ascii_whitespace().collect()
}

/// Whether the folded word is a common given name.
pub fn is_given_name(folded: &str) -> bool {
    GIVEN.contains(folded)
}

/// Whether the folded word is a name and a word, a month, a place or a product as well.
pub fn is_ambiguous(folded: &str) -> bool {
    AMBIGUOUS.contains(folded)
}

/// Whether the folded word is never part of a person's name.
pub fn is_never_name(folded: &str) -> bool {
    NEVER.contains(folded)
}

/// Whether the folded word makes what stands before it a company or a place.
pub fn is_organisation(folded: &str) -> bool {
    ORGANISATION.contains(folded)
}

/// Whether the folded word makes a place of what stands before it, if that is not surely a name:
/// `Jordan River`, but `Peter Lake`.
pub fn is_place(folded: &str) -> bool {
    matches!(
        folded,
        "square"
            | "river"
            | "bridge"
            | "tower"
            | "plaza"
            | "park"
            | "airport"
            | "station"
            | "county"
            | "valley"
            | "lake"
            | "island"
    )
}

/// Whether the folded word binds parts of a name: `van`, `de`, `bin`.
pub fn is_particle(folded: &str) -> bool {
    PARTICLE.contains(folded)
}

static PARTICLE: Set = LazyLock::new(|| {
    set(
        "van von de der den da dos das del della di la le bin bint binti al el ibn ten ter du zu av af y e san st mac",
    )
});

static AMBIGUOUS: Set = LazyLock::new(|| {
    set(
        "will mark may grace rose art bill chase drew jack jordan chelsea paris sofia florence victoria charlotte georgia \
         sydney austin dallas houston april june august summer autumn hope faith joy rich grant miles max pat ray rob sue sky \
         penny ruby amber crystal dawn daisy lily iris ivy hazel olive ginger pearl gene frank dean earl duke jade jasper \
         jean lance lane dale glen heath cliff clay brook river rocky buck chip skip guy christian page reed rex robin \
         sandy carol holly melody harmony star stormy angel destiny genesis phoenix denver lincoln carson hunter mason \
         carter cooper tucker taylor tyler parker porter chance price case rust ada julia elixir scala swift kotlin jenkins \
         jason selenium travis gradle django flask redis cassandra athena apollo hermes kafka gemini claude alexa siri \
         cortana oracle china india israel cuba milan vienna verona alba eden rio santiago alma bo so an in my do ha an vi \
         ann per pia kim lee ali sam don ken van long young li lu ma ming min yang yu rene era ed al ben dan jo lou mo ty ian \
         mercedes carmen leo nova nova luna aurora terra silver gray grey drake blaze dash bash root admin regina marina \
         celeste concord windsor sterling stone royal norm ross wade rush trace trinity journey story legend major sage rowan \
         basil rosemary angela mia ace art atlas scout finn fern arrow aspen cruz flora forest gale harbor marshall nick rick \
         ram shell tab tag tim tip top val vance vim wren zen cole curt dot ella erin grid ion jet kit lark lee linus lotus \
         mac mark matt nat nova opal orion pip piper pixel polly queen ra sol sun tex titan vera viola willow ola madison",
    )
});

static ORGANISATION: Set = LazyLock::new(|| {
    set(
        "inc ltd llc gmbh ag plc corp corporation company co limited group holdings partners supplies freight clinic studio \
         studios logistics bank team support sales systems software labs lab services solutions technologies tech industries \
         international university college school hospital foundation institute associates agency consulting media digital \
         networks health healthcare pharmacy insurance capital ventures foods farms motors airlines hotel hotels restaurant cafe \
         bakery books records press publishing construction engineering energy shipping transport travel tours retail stores \
         store market markets outfitters cooperative coop trust council department office bv nv ab oy as sa sas srl spa pty \
         cloud data app platform portal server api gateway service dashboard street road avenue lane",
    )
});

static NEVER: Set = LazyLock::new(|| {
    set(
        "the a an and or but if then else when while since because after before during until as at by for from in into of off \
         on onto out over per to under up upon via with without i we you he she it they me us him her them my our your his its \
         their mine ours yours this that these those here there where why how what which who whom whose is are was were be been \
         being am do does did done have has had having can could will would shall should may might must not no nor yes ok okay \
         please thanks thank hi hello hey dear greetings good morning afternoon evening day night regards best kind sincerely \
         cheers yours faithfully truly warmly respectfully monday tuesday wednesday thursday friday saturday sunday january \
         february march april may june july august september october november december mon tue wed thu fri sat sun jan feb mar \
         apr jun jul aug sep sept oct nov dec all any both each every everyone everybody few many more most much none nobody \
         nothing one other others several some someone something such team support folks guys people sir madam damen herren sehr geehrte geehrter mai engineering \
         sales billing finance operations customer customers client clients user users admin administrator root guest owner \
         member agent contact server service services database table index query error errors warning info debug fatal trace \
         exception timeout failed failure success status code response request http https url uri api rest graphql json xml \
         yaml csv html css javascript typescript python java ruby php rust golang node react angular vue django rails spring \
         docker kubernetes linux windows macos mac ubuntu debian ios android chrome firefox safari edge opera explorer google \
         microsoft amazon apple facebook github gitlab bitbucket slack stripe paypal visa mastercard amex salesforce hubspot \
         zapier shopify wordpress oracle postgres postgresql mysql mongo mongodb redis kafka elastic elasticsearch terraform \
         jenkins aws azure gcp cloudflare okta auth0 entra onelogin ping sentry datadog grafana prometheus linear jira notion \
         zoom teams outlook gmail excel word powerpoint sheets docs drive dropbox twilio sendgrid mailchimp intercom zendesk \
         supabase anthropic openai keycard payment payments portal checkout invoice invoices order orders cart card charge \
         refund webhook webhooks export import report reports dashboard settings profile account accounts password token key \
         secret login logout sign signin signup session cookie browser page screen button form field file folder email mail \
         phone address name subject body message note version release build deploy deployment production staging test tests \
         testing development environment region zone cluster pod container queue job worker cron log logs file files data \
         number date time zone street city state country zip postcode id uuid first last full given family new old next \
         previous open closed pending active inactive enabled disabled true false null undefined none unknown expected actual \
         steps reproduce result results step bug issue issues ticket tickets case problem question help urgent critical high \
         medium low priority severity enterprise pro free plan tier trial upgrade downgrade subscription europe america asia \
         africa london berlin paris madrid rome dublin tokyo york california texas english german french spanish internal \
         external public private local remote main master beta alpha stable latest head get post put patch delete options \
         also just still even only again now today yesterday tomorrow however therefore otherwise maybe perhaps attached see \
         below above find found try tried looking looks seems seem got getting went going let make made use used using saw \
         seen sent send receive received call called calling ask asked tell told say said says know think want need like look \
         work works working worked happens happened happening started starts start stop stopped stops fix fixed update updated \
         change changed add added remove removed create created click clicked press pressed type typed enter entered select \
         hallo bonjour hola ciao liebe lieber guten tag danke merci gracias mit freundlichen grussen cordialement saludos \
         ceo cto cfo coo vp svp head manager director lead engineer developer analyst consultant assistant officer president \
         founder accountant nurse doctor teacher driver colleague boss deputy chief senior junior it hr qa pm po ops dev sre \
         world mr mrs ms miss mx dr prof sso saml scim oauth oidc mfa otp jwt ssl tls dns vpn ip tcp udp cdn sdk cli ui ux db sql \
         gdpr hipaa pci iso utc gmt est pst cet bst north south east west dark light mode big sur sonoma ventura monterey \
         pull merge branch commit main event events type class function method object array string integer boolean internal \
         null pointer illegal argument bad gateway unauthorized forbidden unavailable too large entity media not found once \
         dev same nothing everything anything kindly hope meanwhile additionally finally firstly secondly lastly unfortunately \
         black friday cyber easter christmas whenever wherever whatever whether although though unless despite instead",
    )
});

static GIVEN: Set = LazyLock::new(|| {
    set(
        "aaliyah aaron abdul abdullah abebe abel abigail abraham ada adam adaeze adam adebayo adele adeline adesina aditi aditya adrian \
         adriana adrien agata agnes agnieszka ahmad ahmed aiden aiko aino aisha aishah ajay akash akemi aki akiko akira alain alan \
         alastair alba albert alberto alec alejandra alejandro aleksander aleksandra alessandra alessandro alessia alex alexander \
         alexandra alexandre alexei alexis alfred alfredo ali alice alicia alina alisha alison alistair allan allison alma alvaro \
         alyssa amadou amal amalia amanda amara amari amelia amelie amina aminata amir amit amita amy ana anais anand ananya anastasia \
         anders andre andrea andreas andreea andrei andres andrew andrzej andy aneta angel angela angelica angelo angus anika anil anita \
         anja anjali ann anna annabel anne annette annie annika ansel anthony antoine anton antonia antonio anuja anya aoife april arash \
         archie ariana ariel arjun arlo arman armando arnaud arne arnold art arthur artur arturo arun arvid aryan asa asha asher ashley \
         ashok asif asma astrid asuka athena atticus aubrey audrey august augusta aurelia aurora austin ava avery aya ayaan ayesha ayo \
         ayumi aziz babajide barbara barnaby barry bart bartholomew bartosz basil beata beatrice beatriz becky ben benedict benjamin \
         bernadette bernard bernd bernardo bert bertrand beth bethany betty bianca bilal bill birgit bjorn blanca bob bogdan boris \
         brad bradley brandon brenda brendan brett brian briana bridget brigitte brit britta brooke bruce bruno bryan bryce caitlin \
         caleb callum calvin cameron camila camille carina carl carla carlo carlos carmen carol carole carolina caroline carolyn \
         carrie casey caspar cassandra cassidy catalina catarina caterina catherine cathy cecile cecilia cedric celeste celia celine \
         cesar chandra chantal charlene charles charlie charlotte chen cheng chiara chidi chika chinedu chinonso chioma chloe chris \
         christa christian christiane christina christine christoph christophe christopher chukwu chun ciara cillian cindy claire \
         clara clarence clarissa claude claudia claudio clement clementine clive cody colette colin colleen conal connor conor \
         conrad constance constantin consuelo cora corinne cormac cornelia cornelius corey craig cristian cristiano cristina cristobal \
         curtis cynthia cyril dag dagmar daichi daisuke daisy dale damian damien dan dana daniel daniela daniele danielle danny \
         daphne daria dariusz darius darren dashiell dave david davide dawid dawn dean deborah debra declan deepa deepak deirdre delia \
         delphine demetrius denis denise dennis derek desmond devi devon dewi diana diane didier diego dieter dilip dimitri dina dinesh \
         dirk divya dmitri dmitry dolores dominic dominik dominique don donald donna donovan dora doreen dorian doris dorota dorothea \
         dorothy doug douglas duncan dustin dylan eamon ebony eden edgar edith edmund eduardo edward edwin efua eileen einar eirik \
         eitan ekaterina elaine eleanor elena eleni eli elias elif elijah elin elisa elisabeth elise eliza elizabeth ella elle ellen \
         elliot elliott eloise elsa elsie elvira emanuel emeka emil emile emilia emilie emiliano emilio emily emina emir emma emmanuel \
         emmanuelle enrico enrique ephraim eric erica erich erik erika erin ernest ernesto ernst errol esme esmeralda esperanza esra \
         esteban estelle esther ethan etienne eugene eugenia eva evan evangeline eve evelyn ezekiel ezra fabian fabien fabio fabrice \
         fadi faisal farah farid farida fatema fatima fatimah fatma federica federico felicia felicity felipe felix fenella ferdinand \
         fergus fernanda fernando filip filippa filippo fiona finley finn flavia florence florian folake fran frances francesca \
         francesco francine francis francisca francisco franck francois francoise frank franz fraser fred freddie frederic frederick \
         frederik freya frida friedrich fritz fumiko gabriel gabriela gabriele gabriella gail gareth garrett gary gaspard gavin gemma \
         genevieve geoff geoffrey george georges georgia georgina gerald geraldine gerard gerardo gerd gerhard gert gertrude giacomo \
         gianluca gideon gilbert giles gillian gina giorgio giovanna giovanni gisela gita giulia giuseppe gladys glenda glenn gloria \
         gonzalo gordon govind grace graham grazia greg gregor gregory greta gretchen grzegorz guadalupe gudrun guido guillaume \
         guillermo gunnar gunther gus gustav gustavo guy gwen gwendolyn haakon habib hadiya haile haile hakan hakim halima hamid hamza \
         hana hanako hank hanna hannah hannes hans harald haris harold harriet harrison harry haruka haruki haruto harvey hasan hassan \
         hayden hayley hazel heather hector hedda hedvig heidi heike heiko heinrich heinz helen helena helene helga helmut henri \
         henrietta henrik henrique henry herbert herman hermione hernan hilary hilda hiro hiroko hiroshi holger hong horace horst hugh \
         hugo humberto hussein hyun ian ibrahim ida idris ifeoma ignacio igor ikram ildiko ilse iman imani imelda imogen imran ina \
         indira ines inga inge ingeborg ingrid inigo ioana ion irena irene irina iris irma irwin isa isaac isabel isabella isabelle \
         isaiah isha isidora isla ismael ismail ivan ivana ivar ivo ivy izabela jaanika jack jacob jacqueline jacques jade jaden jae \
         jafar jaime jake jakob jakub jamal james jamie jamila jan jana jane janet janice janina janine jared jari jarmila jaroslav jarvis \
         jasmin jasmine jason jasper javier jaya jean jeanette jeanne jeff jeffrey jelena jemima jenna jennie jennifer jenny jens jeremiah \
         jeremy jerome jerry jesper jess jesse jessica jessie jesus jette jia jill jim jimmy jin joan joana joanna joanne joao joaquin joe \
         joel joelle joerg johan johann johanna johannes john johnny jolanta jon jonas jonathan joost jordan jordi jorge jorgen joris jose \
         josef josefina joseph josephine josh joshua josie joyce juan juana juanita judith judy juha jules julia julian juliana julie \
         julien juliet juliette julio julius jun june juno jurgen justin justine justyna jutta kadir kai kaito kalinda kamal kamala \
         kamil kamila kane kaori karen karim karin karina karl karla karol karolina kasper katarina katarzyna kate katerina katharina \
         katherine kathleen kathryn kathy katie katja katrin katrina katsumi kavita kay kayla kazuki kazuko keiko keith kelechi kelly \
         kelsey kemal ken kendra kenji kenneth kenny kent kenta kenya kerry kerstin kevin khadija khaled khalid kieran kim kimberly \
         kiran kirsten kirsty kiyoshi klaas klara klaus kofi koji krishna kristen kristian kristin kristina kristof krystyna krzysztof \
         kunal kurt kwabena kwame kyle kylie lachlan laila lakshmi lamar lana lara larissa larry lars latoya laura laurel lauren laurence \
         laurent lauri lavinia lawrence leah leandro leanne leif leila lena leo leon leona leonard leonardo leonie leopold leroy lesley \
         leslie leticia lev lewis leyla liam liana lidia liesel lila lilian liliana lillian lin lina linda lindsay ling linnea linus lisa \
         lise lisette livia liz lizzie ljubica lloyd logan lois lola loretta lorenzo loris lorna lorraine lotte lou louis louisa louise \
         lourdes luca lucas lucia lucian luciana luciano lucie lucille lucinda lucy ludmila ludovic ludwig luigi luis luisa luiz lukas \
         lukasz luke luna luther lydia lyle lynn mabel maciej maddison madeleine madeline madison mads mae magda magdalena magnus mahmoud \
         maisie maja makoto malachi malcolm malgorzata malik malin malte mamadou manfred manish manoj manon manuel manuela marc marcel \
         marcela marcelo marcia marcin marco marcos marcus mareike margaret margarita margaux margherita margit margot maria mariam \
         mariana marianne mariano marie marieke marija marika marilyn marin marina mario marion marisa marisol marissa marit mariusz \
         marjorie mark marko markus marla marlene marlon marta martha marthe martin martina marvin mary maryam masako mateo mateusz \
         matheus mathias mathieu mathilde matilda matt matteo matthew matthias matthieu maud maureen maurice mauricio maurizio mauro max \
         maxim maxime maximilian maxine maya mayumi meera megan mehdi mehmet mei melanie melissa melvin mercy meredith merle meryem mette \
         mia micah michael michaela michal michel michele michelle michiko miguel mihai mika mikael mike mikhail mikkel mila milan milena \
         miles milica millicent milo milos mina mio mira miranda miriam miroslav mirza mitchell mitsuko miyuki mohamed mohammad mohammed \
         mohan moira molly mona monica monika monique montserrat morag morgan moritz morten moses moshe muhammad mukesh muriel murray \
         musa mustafa mya myra myriam nadia nadine nadja naeem nahid najib nan nana nancy nanette naoko naomi narges naresh natalia natalie \
         natasha nathalie nathan nathaniel navid nazanin neha neil nell nelly nelson nessa nestor ngozi nguyen nia niamh nicholas nicola \
         nicolas nicole niels nigel nikhil niklas niko nikola nikolai nikos nils nina nirmala nisha nita nizar njeri noah noam nobuko noel \
         noelle noemi nolan noor nora norbert norma norman nuno nura nuria obinna octavia odette ola olaf olav ole oleg olena olga olive \
         oliver olivia olivier olu oluwaseun omar onur oona ophelia orla orlando orson oscar osman otis otto ottoline owen pablo padma paige \
         paloma pamela paola paolo parisa pascal pascale pat patience patricia patricio patrick patrik patrizia patryk paul paula paulina \
         pauline paulo pavel pawel pedro peggy pekka penelope percy per perla pernille perpetua peter petra petronella petros philip \
         philippa philippe phillip phoebe phyllis pia pierre pieter pilar piotr pius pooja prakash pramod pranav prasad pratik preeti prem \
         prisca priscilla priya priyanka qasim quentin quincy quinn rachel rachid radek radoslaw rafael rafal raffaele raghav rahel rahul raj \
         raja rajesh rajiv ralf ralph ramesh ramiro ramon ramona rana randall randy ranjit raphael raquel rashid ravi raymond razvan rebecca \
         reggie regina reginald reiko reinhard rekha remi rena renata renate rene renee reza rhea rhiannon rhys ricardo riccardo richard \
         rick riko rina rita ritu rivka roald rob robert roberta roberto robin rocio roderick rodney rodolfo rodrigo roger rohan rohit rokas \
         roland rolf roman romain ron ronald ronan ronja rory rosa rosalia rosalie rosalind rosanna roseanne rosie roswitha roxana roxanne \
         roy ruben rudolf rufus rupert ruslan russell ruth ryan ryo ryu saad sabina sabine sabrina sachiko sadia saeed safiya sahar saki \
         sakura salim sally salma salman salvador salvatore sam samantha samir samira samuel sana sandeep sander sandra sanjay sanna santiago \
         santosh sara sarah sarita sasha saskia satoshi saul saurabh scott sean sebastian seema selin selina selma senthil seo serena serge \
         sergei sergey sergio seth shah shahid shakira shamima shane shanice shannon shaun shauna shawn sheila shelby shelly sheng shige shira \
         shirin shirley shiv shreya shruti siddharth sidney siegfried sien sigrid silke silvia simon simona simone siobhan siri sita sixten \
         sneha soledad solveig sonia sonja sophia sophie soren soraya spencer stacey stacy stanislav stanley stefan stefania stefano steffen \
         stella stephan stephanie stephen steve steven stewart stig stuart sunil sunita suresh surya susan susana susanna susanne suzanne svante \
         sven svetlana swati sybil sylvain sylvia sylvie tabitha tadeusz takashi takeshi talia tamar tamara tamika tanja tanvi tanya tara tariq \
         taro tasha tatiana tatsuya ted teodora teresa terence teri terrence terry tessa thabo thandi thea thelma theo theodor theodora \
         theodore theresa thibault thierry thomas thorsten tiago tiana tibor tiffany tijana till tilda tim timo timothy tina tobias toby todd \
         tom tomas tomasz tomoko toni tony tor tore torsten toshiro tracey tracy trevor tristan trond troy trudy tuan tuomas ugo ulf ulrich \
         ulrika uma umar ursula usha uta ute uwe vaclav valentin valentina valeria valerie vanessa varun vasco vasile veera veronica veronika \
         vicente vicky victor viktor viktoria vijay vikram vilma vincent vincenzo viola violet violeta virginia vishal vittoria vivek vivian \
         viviana vivienne vlad vladimir volker wade walid walter wanda wanjiru warren wei wendy werner wesley wiebke wilfred wilhelm wilhelmina \
         willem william willie wilma winifred winston wojciech wolfgang xavier xiao ximena xin yael yahya yan yanis yannick yara yasmin yasmine \
         yasuko yolanda yosef yousef youssef yuki yukiko yuri yuriko yusuf yves yvette yvonne zachary zahra zainab zara zdenek zeynep zeke zelda \
         zhang zofia zoe zoltan zora zuri zuzana oluwaseun tendai tariro nkechi uche ebele yaw ama akosua abena esi kojo kwesi lerato sipho \
         nomsa zanele bongani thandiwe tunde segun funmi bola kemi temitope wale yetunde zainabu juma baraka neema amani wambui kamau otieno \
         achieng mehmet ayse emre burak deniz cem elif zehra leila parvin dariush behrouz shirin kaveh nasrin thuy linh minh hoang phuong trang \
         duc huong lan mai anh tuan jisoo minjun seoyeon jihoon hyejin sungmin yejin xiuying meiling jiahao yichen zihan mingyu siti nurul \
         budi agus rahma dewi putri rizal joko wati bayu malee somchai anong niran kanya arnav ishaan kabir aarav vihaan diya kavya riya saanvi \
         harpreet gurpreet manpreet jaspreet simran amrit navjot imtiaz farhan zubair nasreen rukhsana hina sadaf shazia tahir",
    )
});
