internal import LibPQ

/// What the facts mean: who can change history.
extension StoreFacts {
  var protectionItems: [DiagnosisItem] {
    guard isOwn, let kind = self["kind"], ["r", "p"].contains(kind) else { return [] }
    let owner = "the owner \(self["owner"] ?? "?") and superusers"
    func item(_ value: String, _ status: DiagnosisItem.Status = .ok, advice: Hint? = nil) -> [DiagnosisItem] {
      [DiagnosisItem(.table, "changes of events", value, status, advice: advice)]
    }
    switch (self["is_immutable"], self["changers"]) {
    case ("true"?, _):
      return item("refused by triggers, which \(owner) can disable")
    case (_?, _):
      return item("the triggers that refuse them are disabled or incomplete", .problem, advice: "\(.protect)")
    case (nil, let changers?):
      return item("possible for \(changers), \(owner)", .note, advice: "\(.protect)")
    case (nil, nil):
      return item("possible for \(owner)")
    }
  }
}
