package darkroom.actors;

import darkroom.config.GroupSettings;
import darkroom.config.LimitSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.UniqueKillSwitch;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.RunnableGraph;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.stream.typed.javadsl.ActorFlow;

/**
 * The way of a run's image groups, from prompts to weights, as one stream. Demand flows backwards: a step is committed
 * once it is learned, learned once all its groups are compared, and no more groups are open than the limit says.
 */
final class StepLine {
    /** The watchdogs of the desks act long before; this only keeps a forgotten question from living for ever. */
    private static final Duration ANSWER_WITHIN = Duration.ofDays(7);

    private StepLine() {}

    /** Some prompts, about to be drawn with one version. */
    record OpenedStep(int step, List<DrawUnit> draws) {
        List<OpenedGroup> groups() {
            return draws.stream()
                    .map(draw -> new OpenedGroup(draw, draws.size()))
                    .toList();
        }
    }

    record OpenedGroup(DrawUnit draw, int groupsOfStep) {}

    record EndedGroup(OpenedGroup opened, GroupKeeper.Ending ending) {}

    record ComparedStep(
            int step, List<GroupKeeper.Ending> endings, List<GroupRewards> rewards, StepStatistics statistics) {}

    record LearnedStep(ComparedStep compared, LearnerState learner, List<PassStatistics> passes) {}

    record CommittedStep(int step) {}

    /** The steps {@code first} to {@code end - 1}. */
    static RunnableGraph<UniqueKillSwitch> of(
            ActorRef<RunSupervisor.Command> supervisor,
            int first,
            int end,
            LimitSettings limits,
            GroupSettings groups) {
        Source<Integer, NotUsed> steps = Source.range(first, end - 1);
        return steps.via(openedBy(supervisor))
                .via(drawnAndScoredBy(supervisor, limits.groupsInFlightMax()))
                .via(gatheredByStep())
                .via(comparedWithinGroups(groups))
                .via(learnedBy(supervisor))
                .via(committedBy(supervisor))
                .viaMat(KillSwitches.single(), Keep.right())
                .to(whichTellsItsEndTo(supervisor));
    }

    private static Flow<Integer, OpenedGroup, NotUsed> openedBy(ActorRef<RunSupervisor.Command> supervisor) {
        Flow<Integer, OpenedStep, NotUsed> opened =
                ActorFlow.ask(1, supervisor, ANSWER_WITHIN, RunSupervisor.OpenStep::new);
        return opened.mapConcat(OpenedStep::groups);
    }

    /** In order, whatever the order in which they end. */
    private static Flow<OpenedGroup, EndedGroup, NotUsed> drawnAndScoredBy(
            ActorRef<RunSupervisor.Command> supervisor, int groupsInFlightMax) {
        return ActorFlow.ask(groupsInFlightMax, supervisor, ANSWER_WITHIN, RunSupervisor.OpenGroup::new);
    }

    private static Flow<EndedGroup, List<GroupKeeper.Ending>, NotUsed> gatheredByStep() {
        return Flow.of(EndedGroup.class).statefulMapConcat(() -> {
            List<GroupKeeper.Ending> gathered = new ArrayList<>();
            return group -> {
                gathered.add(group.ending());
                if (gathered.size() < group.opened().groupsOfStep()) {
                    return List.of();
                }
                List<GroupKeeper.Ending> whole = List.copyOf(gathered);
                gathered.clear();
                return List.of(whole);
            };
        });
    }

    private static Flow<List<GroupKeeper.Ending>, ComparedStep, NotUsed> comparedWithinGroups(GroupSettings settings) {
        return Flow.fromFunction(endings -> {
            List<GroupRewards> rewards = endings.stream().map(Endings::rewards).toList();
            int step = endings.getFirst().draw().step();
            return new ComparedStep(step, endings, rewards, StepStatistics.of(rewards, settings));
        });
    }

    private static Flow<ComparedStep, LearnedStep, NotUsed> learnedBy(ActorRef<RunSupervisor.Command> supervisor) {
        return ActorFlow.ask(1, supervisor, ANSWER_WITHIN, RunSupervisor.Learn::new);
    }

    private static Flow<LearnedStep, CommittedStep, NotUsed> committedBy(ActorRef<RunSupervisor.Command> supervisor) {
        return ActorFlow.ask(1, supervisor, ANSWER_WITHIN, RunSupervisor.Commit::new);
    }

    private static Sink<CommittedStep, NotUsed> whichTellsItsEndTo(ActorRef<RunSupervisor.Command> supervisor) {
        return Sink.onComplete(result -> supervisor.tell(
                result.isSuccess()
                        ? new RunSupervisor.LineEnded()
                        : new RunSupervisor.LineFailed(result.failed().get())));
    }
}
