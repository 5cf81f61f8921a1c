//! Everything that can be wrong in a file, with the line and the sentence that report it.

pub(super) const FAULTS: &[(&str, &str)] = &[
    // Unknown keys and sections.
    (
        "[payment]\n\nquery_intervall_ms = 1",
        "3: [payment] query_intervall_ms is not a known key; did you mean query_interval_ms?",
    ),
    ("[paymnt]", "1: paymnt is not a known section; did you mean [payment]?"),
    (
        "[colours]",
        "1: colours is not a known section; known are store, till, shift, gateway, payment, refund, \
             scanner, printer, display, receipt, goods, screen, journal, log",
    ),
    ("copies = 1", "1: copies does not stand alone; it belongs under [receipt]"),
    (
        "[till]\ntheme = \"dark\"",
        "2: [till] theme is not a key of this section; it belongs under [screen]",
    ),
    (
        "[store]\ncolour = 1",
        "2: [store] colour is not a known key; known here are name, id, \
             time_zone",
    ),
    (
        "[gateway.wechat-v2]\napp_idd = 1",
        "2: [gateway.wechat-v2] app_idd is not a known key; did you mean app_id?",
    ),
    (
        "[gateway.wechat-2]\napp_id = \"\"",
        "1: [gateway] wechat-2 is not a known key; did you mean wechat-v2?",
    ),
    ("store = 1", "1: store is a section: write [store] and its keys below it"),
    ("[[store]]", "1: store is a section: write [store] and its keys below it"),
    (
        "[gateway]\nwechat-v2 = true",
        "2: gateway.wechat-v2 is a section: write [gateway.wechat-v2] and its keys below it",
    ),
    (
        "\"a\\u001b[2Jb\" = 1",
        "1: a[2Jb is not a known section; known are store, till, \
             shift, gateway, payment, refund, scanner, printer, display, receipt, goods, screen, journal, \
             log",
    ),
    (
        "[store]\ntime_zone = \"Mars/Base\"",
        "2: [store] time_zone is \"Mars/Base\", which is no time zone; write one such as \
             Asia/Shanghai, or \"\" for the machine's own",
    ),
    // The first of two faults.
    ("[till]\nidd = 1\n[screen]\ntehme = 1", "2: [till] idd is not a known key; did you mean id?"),
    // Not TOML.
    ("[till]\nid = \"a\"\nid = \"b\"", "3: id is here for the second time"),
    ("[till]\n[till]", "2: till is here for the second time"),
    // Types.
    (
        "[payment]\nquery_interval_ms = \"5000\"",
        "2: [payment] query_interval_ms must be a whole number, 100 to 60000; this is text",
    ),
    (
        "[payment]\nquery_interval_ms = 5e3",
        "2: [payment] query_interval_ms must be a whole number, 100 to 60000; this is a \
             number with a point",
    ),
    (
        "[printer]\nauto_print = 1",
        "2: [printer] auto_print must be true or false; this is a number",
    ),
    ("[store]\nname = true", "2: [store] name must be text in quotes; this is true or false"),
    (
        "[receipt]\nheader = \"one\"",
        "2: [receipt] header must be a list of lines like [\"one\", \"two\"]; this is text",
    ),
    (
        "[receipt]\nfooter = [\"one\", 2]",
        "2: [receipt] footer must be text in quotes; this is a number",
    ),
    (
        "[till]\nlanguage = 2026-11-22",
        "2: [till] language must be zh-CN or en, in quotes; this is a date",
    ),
    // Words.
    ("[till]\nlanguage = \"fr\"", "2: [till] language is \"fr\"; allowed is zh-CN or en"),
    (
        "[till]\nlanguage = \"zh-cn\"",
        "2: [till] language is \"zh-cn\"; allowed is zh-CN or en; did you mean zh-CN?",
    ),
    (
        "[screen]\ntheme = \"drak\"",
        "2: [screen] theme is \"drak\"; allowed is dark, light, contrast or mono; did you \
             mean dark?",
    ),
    (
        "[till]\ncurrency = \"RMB\"",
        "2: [till] currency is \"RMB\"; allowed is a code of ISO 4217 such as CNY",
    ),
    (
        "[till]\nid = \"T/1\"",
        "2: [till] id must be 1 to 8 letters, digits, _ or - of ASCII, such as T01",
    ),
    ("[printer]\nencoding = \"utf-8\"", "2: [printer] encoding is \"utf-8\"; allowed is gb18030"),
    (
        "[printer]\nprofile = \"espon\"",
        "2: [printer] profile is \"espon\"; allowed is auto, epson, generic, no-cutter, gb2312 or \
         raster; did you mean epson?",
    ),
    (
        "[printer]\ndrawer = 2",
        "2: [printer] drawer must be none, pin2 or pin5, in quotes; this is a number",
    ),
    (
        "[printer]\nflow = \"dtr\"",
        "2: [printer] flow is \"dtr\"; allowed is none, xonxoff or rtscts",
    ),
    ("[printer]\npaper_mm = 57", "2: [printer] paper_mm is 57; allowed is 58 or 80"),
    (
        "[screen]\nconfirm_above = \"1e3\"",
        "2: [screen] confirm_above is \"1e3\"; allowed is an amount such as \"1000\", or \"\" \
             for never: \"e\" does not belong in an amount, which is like 12.50",
    ),
    // Text.
    ("[store]\nname = \"\"", "2: [store] name is empty; it is what receipts begin with"),
    (
        "[store]\nname = \"a\\u001b[2J\"",
        "2: [store] name holds a control character; only printable text may be",
    ),
    ("[journal]\npath = \"a\\u200bb\"", "2: [journal] path holds a character that cannot be seen"),
    (
        "[journal]\npath = \"~/books\"",
        "2: [journal] path starts with ~, which only a shell knows; write it in full",
    ),
    (
        "[payment]\nbody = \"{shop}\"",
        "2: [payment] body has {shop}; allowed are {store} and {till}",
    ),
    (
        "[payment]\nbody = \"{Stor}\"",
        "2: [payment] body has {Stor}; allowed are {store} and {till}; did you mean {store}?",
    ),
    ("[payment]\nbody = \"{store\"", "2: [payment] body has a { without its }"),
    ("[payment]\nbody = \"} {store}\"", "2: [payment] body has a } without its {"),
    ("[payment]\nbody = \"{till}}\"", "2: [payment] body has a } without its {"),
    (
        "[payment]\nbody = \" \"",
        "2: [payment] body comes to nothing; the customer's phone shows it as the goods",
    ),
    // Devices.
    ("[scanner]\nkind = \"serial\"", "1: [scanner] port is missing; a serial scanner needs one"),
    (
        "[scanner]\ndevice = \"0c2e\"",
        "2: [scanner] device is vvvv:pppp or vvvv:pppp:serial, as `paytill devices` lists it",
    ),
    (
        "[scanner]\nlayout = \"uk\"",
        "2: [scanner] layout is \"uk\"; allowed is us, fr or de; did you mean us?",
    ),
    (
        "[printer]\nkind = \"escpos-file\"\nport = \"\"",
        "3: [printer] port is missing; a printer needs one",
    ),
    ("[display]\nkind = \"led8\"", "1: [display] port is missing; a display needs one"),
    (
        "[display]\nkind = \"cd5520\"",
        "2: [display] kind is \"cd5520\"; allowed is none, cd5220, escpos or led8; did you mean \
             cd5220?",
    ),
    (
        "[display]\nparity = \"mark\"",
        "2: [display] parity is \"mark\"; allowed is none, odd or even",
    ),
    (
        "[display]\nwelcome = [\"Hello\", \"欢迎光临\"]",
        "2: [display] welcome has \"欢迎光临\", which is not ASCII; a display that can show it \
             has text = \"gb18030\"",
    ),
    (
        "[display]\nwelcome = [\"a\", \"b\", \"c\"]",
        "2: [display] welcome has 3 lines; at most 2 fit",
    ),
    (
        "[scanner]\nport = \"/dev/ttyQ7\"\n[printer]\nkind = \"escpos-serial\"\nport = \"/dev/ttyQ7\"",
        "5: [printer] port is the same device as scanner.port; each needs a port of its own",
    ),
    (
        "[display]\nkind = \"led8\"\nport = \"/dev/../dev/ttyQ7\"\n[scanner]\nkind = \"serial\"\n\
             port = \"/dev/ttyQ7\"",
        "3: [display] port is the same device as scanner.port; each needs a port of its own",
    ),
    (
        "[display]\nkind = \"led8\"\nport = \"/dev/ttyQ7\"\n[printer]\nkind = \"escpos-file\"\n\
             port = \"/dev/ttyQ7\"",
        "3: [display] port is the same device as printer.port; each needs a port of its own",
    ),
    // Gateways.
    (
        "[gateway]\nkind = \"backend\"",
        "2: [gateway] kind is \"backend\", but there is no [gateway.backend]",
    ),
    (
        "[gateway]\nkind = \"wechat\"",
        "2: [gateway] kind is \"wechat\"; allowed is simulator, wechat-v2, wechat-v3 or \
             backend; did you mean wechat-v2?",
    ),
    (
        "[gateway]\nkind = \"wechat-v2\"",
        "2: [gateway] kind is \"wechat-v2\", but there is no [gateway.wechat-v2]",
    ),
    (
        "[gateway.wechat-v2]\napp_id = \"wx\"",
        "1: [gateway] kind is missing; write kind = \"wechat-v2\", or \"simulator\" for \
             training",
    ),
];
