import Testing

@testable import annals

@Suite struct TableFitTests {
  private func space(_ importance: Importance, _ natural: Int, _ widths: ClosedRange<Int> = 12...48)
    -> TableFit.Space
  {
    TableFit.Space(importance, natural: natural, widths)
  }

  /// A stream with long names: version, time, interval, type and payload.
  private var stream: [TableFit.Space] {
    [
      space(.normal, 7, 7...7), space(.normal, 27, 17...17), space(.least, 12),
      space(.high, 47, 20...48), space(.low, 300, 16...48),
    ]
  }

  @Test(
    arguments: [
      (.max, [7, 27, 12, 47, 300]), (401, [7, 27, 12, 47, 300]),
      // The payload gets what is left.
      (160, [7, 27, 12, 47, 59]), (139, [7, 17, 12, 47, 48]), (138, [7, 17, 12, 47, 47]),
      (107, [7, 17, 12, 47, 16]), (106, [7, 17, nil, 47, 29]), (93, [7, 17, nil, 47, 16]),
      (92, [7, 27, nil, 47, nil]),
      (80, [7, 22, nil, 47, nil]), (60, [7, 17, nil, 32, nil]), (48, [7, 17, nil, 20, nil]),
      (47, [7, nil, nil, 38, nil]), (20, [nil, nil, nil, 20, nil]), (5, [nil, nil, nil, 5, nil]),
    ] as [(Int, [Int?])]
  )
  func whatMattersLessGivesWay(room: Int, widths: [Int?]) {
    #expect(TableFit(stream, in: room).widths == widths)
  }

  /// A long message leaves the other columns what they need, and gets the rest.
  @Test func aLongTextPushesNobodyOut() {
    let spaces = [space(.normal, 36), space(.low, 24), space(.high, 1000, 20...48)]
    #expect(TableFit(spaces, in: 200).widths == [36, 24, 136])
    #expect(TableFit(spaces, in: 112).widths == [36, 24, 48])
    #expect(TableFit(spaces, in: 100).widths == [36, 12, 48])
  }

  /// Requested fields are shown, whatever the width is.
  @Test func numbersAreNotCut() {
    let spaces = [space(.high, 100), TableFit.Space(.high, number: 9), TableFit.Space(.high, number: 7)]
    #expect(TableFit(spaces, in: 40).widths == [20, 9, 7])
    #expect(TableFit(spaces, in: 25).widths == [5, 9, 7])
    #expect(TableFit(spaces, in: 10).widths == [1, 9, 7])
  }

  @Test func columnsThatMatterShare() {
    let spaces = [space(.normal, 7, 7...7)] + (1...3).map { _ in space(.high, 100, 20...48) }
    #expect(TableFit(spaces, in: 80).widths == [7, 22, 22, 23])
    #expect(TableFit(spaces, in: 49).widths == [nil, 15, 15, 15])
  }
}
