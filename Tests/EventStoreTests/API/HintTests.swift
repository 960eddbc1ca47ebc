import EventStore
import Testing

struct HintTests {
  @Test func namesRemediesAsTheProgramCallsThem() {
    let hint: Hint = "Add it with \(.addPosition) to \("events")."
    #expect(hint.remedies == [.addPosition])
    #expect(hint.text { _ in "X" } == "Add it with X to events.")
    #expect(hint.description == "Add it with `initialize(addPosition: true)` to events.")
  }
}
