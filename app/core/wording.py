"""The words that the rules of the checklist look for, by what they say."""

from __future__ import annotations

import re

from app.core.prose import lexicon, vocabulary

CONCRETE = vocabulary(
    "accept activate add adjust allow apply assign attach automate backport block bundle cache "
    "cap capture catch change check choose close combine compile compute configure confirm "
    "connect contribute convert copy correct create cut declare decouple default define delete "
    "deploy deprecate detect disable disallow discard display document don't do draw drop dump "
    "duplicate eliminate emit enable encode enforce ensure escape exclude execute expand expose "
    "export extend extract fail filter fill fix flag forbid format generate get give grant "
    "group guard hide highlight hook ignore implement import include increase inherit "
    "initialize insert install integrate introduce invalidate join keep let limit link list "
    "load localize lock log lower make map mark match merge migrate mirror mount move name "
    "normalize not notify open order override package parse pass paste permit persist pick pin "
    "place point port preserve prevent print process produce prompt propagate protect provide "
    "publish push put quote raise rank re-enable read rebuild record redirect reduce register "
    "reject release reload remember remove rename render reorder repair replace report request "
    "require reset resize resolve respect restore restrict retain retry return reuse revert "
    "roll rotate round run sanitize save scroll search select send separate serialize serve set "
    "share shorten show shut skip sort specify split start stop store stream strip submit "
    "subscribe support suppress swap switch sync tag take test throw timestamp toggle track "
    "transfer translate trigger trim truncate turn undo unify uninstall unlock update upgrade "
    "upload use validate verify warn whitelist wire wrap write"
)
WOOLLY = vocabulary(
    "improve enhance optimize optimise refine rework refactor simplify polish clean cleanup "
    "modernize modernise revamp tweak overhaul investigate review discuss explore research "
    "evaluate consider look think handle tidy streamline harden reviewed refined improved "
    "cleaned reworked considered"
)
WOOLLY_NOUNS = vocabulary(
    "improvement improvements enhancement enhancements optimization optimisation cleanup "
    "clean-up refactoring polishing tweaks"
)
PRETTY = vocabulary("nice good great pretty modern robust stable usable beautiful pleasant cool")
BETTER = lexicon(
    "better, nicer, faster, quicker, easier, cleaner, smoother, friendlier, more user friendly, "
    "more user-friendly, more intuitive, more robust, more efficient, more efficiently, more "
    "stable, more flexible, more usable, properly, appropriately, as needed, as appropriate, go "
    "over, where needed, where appropriate, as good as possible, as fast as possible, somehow, "
    "speed up, user friendly, user-friendly"
)
MODAL = lexicon(
    "should, should not, shouldn't, must, must not, mustn't, shall, needs to, need to, has to, "
    "have to, ought to, is expected to, are expected to, supposed to, is required to, will, "
    "won't"
)
DUTY = lexicon(
    "should, shouldn't, must, mustn't, shall, ought to, is expected to, are expected to, "
    "supposed to, expected, expecting, expect, instead of, rather than, instead"
)
OBSERVABLE = vocabulary(
    "return returns returned display displays displayed show shows shown contain contains throw "
    "throws thrown fail fails open opens opened close closes closed become becomes appear "
    "appears redirect redirects redirected raise raises print prints printed log logs logged "
    "reject rejects rejected accept accepts accepted equal equals match matches enabled "
    "disabled visible hidden selected checked empty include includes included exclude excluded "
    "list lists listed create creates created delete deletes deleted remove removed removes "
    "warn warns report reports reported rendered sorted ordered ignored saved stored updated "
    "renamed quoted escaped trimmed preserved reset called named labelled labeled respond "
    "responds exit exits abort aborted stop stopped start started receive sent sends keep kept "
    "point focus pass passes compile compiles load loads loaded able"
)
CHECK = lexicon(
    "verify that, check that, make sure, ensure, ensure that, confirm that, given, passes, "
    "pass, no longer, without error, without errors, returns, so that"
)
MOTIVE = lexicon(
    "legacy, obsolete, deprecation, deprecate, workaround, work around, odd, doesn't exist, "
    "does not exist, because, so that, so we can, so they can, so users, so i can, so you can, "
    "in order to, since, as it would, would allow, allows us, allow us, allows users, allow "
    "users, will allow, would be useful, useful, helpful, would help, will help, helps, help, "
    "benefit, benefits, otherwise, as a user, as an admin, as a customer, as a developer, "
    "motivation, rationale, reason, the reason is, why, purpose, problem, problems, issue is, "
    "painful, annoying, annoyed, confusing, confused, misleading, hard to, difficult, cannot, "
    "can't, unable, impossible, blocked, blocks, blocking, prevents, prevent, breaks, broke, "
    "lost, loses, lose, waste, wastes, slow, slows, too long, takes long, risk, risky, "
    "security, vulnerability, unsafe, dangerous, customer, customers, clients, requested by, "
    "asked for, complain, complains, complaint, required by, needed for, needed by, needed to, "
    "is needed, currently, at the moment, right now, this means, which means, leads to, results "
    "in, resulting in, causes, causing, due to, avoid, avoids, to avoid, easier, easily, "
    "simplify, better, efficient, efficiently, more efficient, faster, performance, improve, "
    "improves, consistency, consistent, inconsistent, compatibility, compatible, usability, "
    "accessibility, deprecated, no longer, redundant, unnecessary, hack, important, critical, "
    "urgent, expensive, user, users, admin, administrators, people, want, wants, would like, "
    "like to, enabling, enables, allow, allowing, allows, thus, hence, therefore, given that, "
    "as we, as they, as users, intuitive, overhead, good practice, bad practice, need, needs, "
    "nice, makes sense, why not, would, get rid"
)
REASON = lexicon(
    "because, so that, by hand, "
    "so we can, so users can, so they can, so i can, in order to, the reason "
    "is, as this would, would be useful, would be helpful, would be handy, would be much, to "
    "avoid, this prevents, prevents users, makes it hard, hard to, difficult to, this causes, "
    "causing, which causes, results in, leads to, motivation, rationale, benefit, this allows, "
    "this would allow, this will allow, allows users, allow users, overhead, painful, annoying, "
    "annoyed, confusing, misleading, lose, loses, lost, complain, complains, "
    "impossible to, it is needed for, otherwise, users need, customers need, therefore, hence, "
    "due to, not intuitive, so it, security, vulnerability, which means, to allow, enabling"
)
AUDIENCE = re.compile(
    r"\bas an? [a-z][\w -]{2,40}?(?=,| i | we )|\b(?:for|by|our|of|from) ((?:[a-z-]{3,20} )?"
    r"(?:customers|clients|users|admins|administrators|developers|operators|authors|editors|teams|people|accountants|"
    r"support staff|analysts))\b|\b(?:customers|users|admins|clients) "
    r"(?:need|want|expect|ask|complain|cannot|can't|often|report|have to|get|are)\b"
)
BROKEN = lexicon(
    "error, errors, exception, exceptions, crash, crashes, crashed, crashing, fail, fails, "
    "failed, failing, failure, broken, breaks, break, incorrect, incorrectly, wrong, wrongly, "
    "bug, missing, unable, cannot, can't, can not, doesn't, does not, do not, don't, didn't, "
    "isn't, is not, are not, aren't, won't, not working, not work, not shown, not displayed, "
    "hangs, freezes, leak, leaks, nullpointerexception, npe, stacktrace, unexpected, "
    "unexpectedly, regression, corrupt, corrupted, invalid, inconsistent, lost, loses, cut off, "
    "throws, segfault, deadlock, hides, disappears, ignored, ignores, never, too slow, not "
    "recognised, not recognized, no longer works, stopped working, duplicated, blocking, "
    "blocks, shows the wrong, not"
)
CHECKING = lexicon(
    "test, tests, tested, testing, unittest, junit, pytest, verify, verified, verification, "
    "check, checks, checked, qa, validate, validated, validation, assert, assertion, scenario, "
    "scenarios, selenium, curl, confirm, confirmed, benchmark, behat, phpunit"
)
VERIFYING = re.compile(
    r"\b(?:python3? -m|pytest|unittest|npm (?:run )?test|yarn test|mvn|gradlew?|go test|cargo test|"
    r"make (?:test|check)|tox|phpunit|rspec|jest|curl|ctest|dotnet test|bundle exec)\b"
    r"|\b(?:add|write|extend|create|update|with|include|have|has|lots of|more|new|the|run) "
    r"(?:(?:\w+[ -]){0,3})?(?:unit|integration|regression|acceptance|system|functional|automated|"
    r"soak|smoke|end-to-end|e2e) ?-?tests?\b"
    r"|\b(?:add|write|extend|run|create) (?:a |an |the |new |more )?tests?\b"
    r"|\btest(?:s|ed)? (?:with|that|on|against|in|by|the|for|all)\b|\bhow to test\b"
    r"|\b(?:verify|verified|confirm|check) (?:that|by|with|the|in|on|if|whether)\b"
)
PLACES = vocabulary(
    "page screen dialog dialogue form button tab menu panel editor view report reports table "
    "field plugin module package service command endpoint api export import wizard toolbar "
    "sidebar header footer column widget chart graph dashboard component class method function "
    "script library driver parser validator connector server client database query schema "
    "installer build pipeline preferences preference configuration config settings setting "
    "filter search login checkout inbox notification board backlog popup window banner icon "
    "label checkbox dropdown tooltip tree console log listener handler controller repository "
    "renderer scheduler queue cache folder directory file files template templates theme "
    "stylesheet portal app application website site homepage navbar link links list grid "
    "gallery calendar importer exporter compiler engine framework broker adapter proxy gateway "
    "webhook job worker cli flag option parameter property attribute element node index tag "
    "selector event exception namespace interface sdk tool test tests guide manual tutorial "
    "documentation docs chart charts reporting upload download generator message messages "
    "perspective explorer provider indicator analysis task"
)
STOP = vocabulary(
    "a an the this that these those of in on at to for with by from and or but is are was be "
    "been it its our your their my his her some any all each every no not new other same such "
    "more most make made add create remove update change fix use using show improve have has "
    "had do does did can could should would will may might must when where which what who how "
    "why if as than then so only also very into out up down over under i we you they he she see "
    "one two better current existing please need needs want get got via per about after before "
    "during there here first last next different"
)
