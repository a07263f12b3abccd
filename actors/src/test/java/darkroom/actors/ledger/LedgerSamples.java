package darkroom.actors.ledger;

import darkroom.actors.events.StepTally;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Events of every kind: fixed ones, and arbitrary ones. */
final class LedgerSamples {
    static final RunDigests DIGESTS = new RunDigests("aa11", "bb22", "cc33");

    static final List<LedgerEvent> EACH = List.of(
            new LedgerEvent.RunOpened(3, 7, DIGESTS),
            new LedgerEvent.StepOpened(7, 6, 2, List.of("balloon-1", "bär \"2\"")),
            new LedgerEvent.GroupGenerated(
                    7, 0, 6, List.of(new LedgerEvent.ImageDigest("1a", "1b"), new LedgerEvent.ImageDigest("2a", "2b"))),
            new LedgerEvent.SlotScored(7, 0, 1, 0.1, 0.999999999999, 2, "judge at http://localhost:8000"),
            new LedgerEvent.SlotUnscored(7, 0, 0, "timeout: no answer within 30 s", 4),
            new LedgerEvent.GroupLost(7, 1, "no such picture"),
            new LedgerEvent.GroupJudged(7, 0, LedgerEvent.Fate.KEPT, "mean 0.4 < 0.9"),
            new LedgerEvent.GroupJudged(7, 1, LedgerEvent.Fate.ABANDONED, "0 scored < 4"),
            new LedgerEvent.GroupJudged(7, 2, LedgerEvent.Fate.DROPPED, "spread 0.01 < 0.05"),
            new LedgerEvent.StepCommitted(7, DIGESTS, new StepTally(6, 1, 2, 1, 2)),
            new LedgerEvent.CheckpointWritten(8, "dd44", 6));

    private LedgerSamples() {}

    static Arbitrary<LedgerEvent> any() {
        Arbitrary<Integer> number = Arbitraries.integers().between(0, 9);
        Arbitrary<String> text = Arbitraries.strings().ofMaxLength(12);
        Arbitrary<RunDigests> digests = Combinators.combine(text, text, text).as(RunDigests::new);
        Arbitrary<LedgerEvent.ImageDigest> image =
                Combinators.combine(text, text).as(LedgerEvent.ImageDigest::new);
        return Arbitraries.oneOf(
                Combinators.combine(number, number, digests).as(LedgerEvent.RunOpened::new),
                Combinators.combine(
                                number, Arbitraries.longs(), number, text.list().ofMaxSize(3))
                        .as(LedgerEvent.StepOpened::new),
                Combinators.combine(
                                number,
                                number,
                                Arbitraries.longs(),
                                image.list().ofMaxSize(3))
                        .as(LedgerEvent.GroupGenerated::new),
                Combinators.combine(
                                number,
                                number,
                                number,
                                Arbitraries.doubles().between(0, 1).ofScale(17),
                                Arbitraries.doubles().between(0, 1).ofScale(17),
                                number,
                                text)
                        .as(LedgerEvent.SlotScored::new),
                Combinators.combine(number, number, number, text, number).as(LedgerEvent.SlotUnscored::new),
                Combinators.combine(number, number, text).as(LedgerEvent.GroupLost::new),
                Combinators.combine(number, number, Arbitraries.of(LedgerEvent.Fate.class), text)
                        .as(LedgerEvent.GroupJudged::new),
                Combinators.combine(
                                number,
                                digests,
                                Combinators.combine(number, number, number, number, number)
                                        .as(StepTally::new))
                        .as(LedgerEvent.StepCommitted::new),
                Combinators.combine(number, text, number).as(LedgerEvent.CheckpointWritten::new));
    }

    /** A step without failures: two groups of two slots, one of them dropped. */
    static List<LedgerEvent> step(int step) {
        return Stream.of(
                        Stream.of(new LedgerEvent.StepOpened(step, step, 2, List.of("a", "b"))),
                        Stream.of(0, 1)
                                .flatMap(group -> Stream.of(
                                        new LedgerEvent.GroupGenerated(
                                                step,
                                                group,
                                                step,
                                                List.of(
                                                        new LedgerEvent.ImageDigest("1" + step, "2" + group),
                                                        new LedgerEvent.ImageDigest("3" + step, "4" + group))),
                                        new LedgerEvent.SlotScored(step, group, 0, 0.25, 1, 1, "s"),
                                        new LedgerEvent.SlotScored(step, group, 1, 0.75, 1, 1, "s"))),
                        Stream.of(
                                new LedgerEvent.GroupJudged(step, 0, LedgerEvent.Fate.KEPT, "kept"),
                                new LedgerEvent.GroupJudged(step, 1, LedgerEvent.Fate.DROPPED, "dropped"),
                                new LedgerEvent.StepCommitted(
                                        step,
                                        new RunDigests("w" + step, "o" + step, "v" + step),
                                        new StepTally(4, 2, 2, 0, 0))))
                .flatMap(events -> events)
                .map(LedgerEvent.class::cast)
                .toList();
    }
}
