/// The frame of every page: its place, its links, and the command that prints the same data.
struct PageLayout {
  let page: Page
  let address: PageAddress
  /// The database that the pages show.
  let place: String

  private static let sections: [(String, PageAddress.Place)] = [
    ("Events", .events), ("Streams", .streams), ("Types", .types), ("Projections", .projections),
    ("Dead letters", .deadLetters), ("Checks", .checks), ("Help", .help),
  ]

  var text: String {
    let head: [HTML] = [
      .void("meta", [.init("charset", "utf-8")]),
      .void("meta", [.init("name", "viewport"), .init("content", "width=device-width, initial-scale=1")]),
      .void("meta", [.init("name", "color-scheme"), .init("content", "light dark")]),
      .element("title", text: "\(page.title) · annals"),
      .void("link", [.init("rel", "stylesheet"), .init("href", PageAddress(.style).text)]),
      .void("link", [.init("rel", "icon"), .init("href", PageAddress(.icon).text)]),
      .element("script", [.init("src", PageAddress(.script).text), .init("defer", "")]),
    ]
    let main: [HTML] = [trail, .element("h1", text: page.title)] + page.body
    var attributes: [HTML.Attribute] = [.init("id", "main"), .init("tabindex", "-1")]
    if let newest = page.newest { attributes.append(.init("data-newest", "\(newest)")) }
    let document = HTML.element(
      "html",
      [.init("lang", "en")],
      .element("head", [], head),
      .element(
        "body",
        [],
        .element("a", [.init("class", "skip"), .init("href", "#main")], text: "Skip to the content"),
        header,
        .element("main", attributes, main),
        footer
      )
    )
    return "<!DOCTYPE html>\n" + document.markup + "\n"
  }

  private var header: HTML {
    let links = Self.sections.map { name, place in
      HTML.link(PageAddress(place), name, place == address.place ? [.init("aria-current", "page")] : [])
    }
    return .element(
      "header",
      [],
      .element(
        "nav",
        [.init("aria-label", "Pages")],
        [.link(PageAddress(.start), "annals", [.init("class", "home")])] + links
      ),
      .element(
        "form",
        [.init("action", PageAddress(.search).text), .init("role", "search"), .init("autocomplete", "off")],
        .void(
          "input",
          [
            .init("id", "to"), .init("name", "to"), .init("type", "search"), .init("aria-label", "Go to"),
            .init("placeholder", "stream, event id, @position, correlation id, time"),
            .init("spellcheck", "false"),
          ]
        ),
        .element("button", text: "Go")
      ),
      .element("span", [.init("id", "live"), .init("role", "status")]),
      .element("p", [.init("class", "place")], text: place)
    )
  }

  private var trail: HTML {
    if page.path.isEmpty { return HTML() }
    let parts = page.path.map { HTML.link($0.address, $0.text) + .raw(" / ") }
    return .element("p", [.init("class", "trail")], parts)
  }

  private var footer: HTML {
    var parts = page.commands.map { command in
      HTML.element(
        "p",
        [.init("class", "command")],
        .element("code", [], .raw("$ "), .element("span", text: command)),
        .element(
          "button",
          [.init("type", "button"), .init("class", "copy"), .init("hidden", "")],
          text: "Copy"
        )
      )
    }
    if page.records != nil {
      let links = ["json", "ndjson", "csv"].map { HTML.link(address.with("o", $0), $0) + .raw(" ") }
      parts.append(.element("p", [.init("class", "soft")], [.text("The same as ")] + links))
    }
    let switches = HTML.element(
      "p",
      [.init("class", "soft"), .init("id", "switches"), .init("hidden", "")],
      .element("button", [.init("type", "button"), .init("id", "zone")], text: "Show local time"),
      .element("button", [.init("type", "button"), .init("id", "keys")], text: "Turn keys off")
    )
    return .element("footer", [], parts + [switches])
  }
}
