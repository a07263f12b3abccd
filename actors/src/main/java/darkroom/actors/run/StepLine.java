package darkroom.actors.run;

import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.TrainingSample;
import darkroom.actors.events.PassStatistics;
import darkroom.actors.statistics.FilterDecision;
import darkroom.actors.statistics.GroupRewards;
import darkroom.actors.statistics.GroupStatistics;
import darkroom.actors.statistics.StepStatistics;
import darkroom.config.GroupSettings;
import darkroom.config.LimitSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
 * The pipeline of a run's image groups, from prompts to weights, as one stream. Demand flows backwards: a step is committed
 * once it is trained, trained once all its groups are compared, and the number of open groups is limited.
 */
final class StepLine {
    /** Timeout of a question; the watchdogs of the queues act long before, and this only removes a forgotten one eventually. */
    private static final Duration ANSWER_WITHIN = Duration.ofDays(7);

    private StepLine() {}

    /** Prompts of a step, about to be generated with one version. */
    record OpenedStep(int step, List<RolloutUnit> rollouts) {
        List<OpenedGroup> groups() {
            return rollouts.stream()
                    .map(rollout -> new OpenedGroup(rollout, rollouts.size()))
                    .toList();
        }
    }

    record OpenedGroup(RolloutUnit rollout, int groupsOfStep) {}

    record EndedGroup(OpenedGroup opened, GroupOutcome ending) {}

    record ComparedStep(int step, List<GroupOutcome> endings, List<GroupRewards> rewards, StepStatistics statistics) {
        /** Returns the images of the kept groups that have a reward, in the order of groups and slots. */
        List<TrainingSample> trainingSamples() {
            List<TrainingSample> trainingSamples = new ArrayList<>();
            for (int i = 0; i < endings.size(); i++) {
                GroupStatistics group = statistics.groups().get(i);
                if (endings.get(i) instanceof GroupOutcome.Finished ended
                        && group.decision() instanceof FilterDecision.Kept) {
                    addTrainingSamples(ended, group, trainingSamples);
                }
            }
            return trainingSamples;
        }

        private static void addTrainingSamples(
                GroupOutcome.Finished ended, GroupStatistics statistics, List<TrainingSample> trainingSamples) {
            RolloutUnit rollout = ended.rollout();
            for (int slot = 0; slot < rollout.slots(); slot++) {
                Optional<GroupStatistics.RelativeReward> relative =
                        statistics.standings().get(slot);
                if (relative.isPresent()) {
                    trainingSamples.add(new TrainingSample(
                            rollout.group(),
                            slot,
                            rollout.prompt(),
                            ended.generated().images().get(slot),
                            relative.get().optimality(),
                            relative.get().advantage()));
                }
            }
        }
    }

    record LearnedStep(ComparedStep compared, LearnerState learner, List<PassStatistics> passes) {}

    record CommittedStep(int step) {}

    /** Builds the stream for the steps {@code first} to {@code end - 1}. */
    static RunnableGraph<UniqueKillSwitch> of(
            ActorRef<RunSupervisor.Command> supervisor,
            int first,
            int end,
            LimitSettings limits,
            GroupSettings groups) {
        Source<Integer, NotUsed> steps = Source.range(first, end - 1);
        return steps.via(openedBy(supervisor))
                .via(generatedAndScoredBy(supervisor, limits.groupsInFlightMax()))
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

    /** Emits ended groups in order, whatever the order in which they end. */
    private static Flow<OpenedGroup, EndedGroup, NotUsed> generatedAndScoredBy(
            ActorRef<RunSupervisor.Command> supervisor, int groupsInFlightMax) {
        return ActorFlow.ask(groupsInFlightMax, supervisor, ANSWER_WITHIN, RunSupervisor.OpenGroup::new);
    }

    private static Flow<EndedGroup, List<GroupOutcome>, NotUsed> gatheredByStep() {
        return Flow.of(EndedGroup.class).statefulMapConcat(() -> {
            List<GroupOutcome> gathered = new ArrayList<>();
            return group -> {
                gathered.add(group.ending());
                if (gathered.size() < group.opened().groupsOfStep()) {
                    return List.of();
                }
                List<GroupOutcome> whole = List.copyOf(gathered);
                gathered.clear();
                return List.of(whole);
            };
        });
    }

    private static Flow<List<GroupOutcome>, ComparedStep, NotUsed> comparedWithinGroups(GroupSettings settings) {
        return Flow.fromFunction(endings -> {
            List<GroupRewards> rewards =
                    endings.stream().map(GroupOutcome::rewards).toList();
            int step = endings.getFirst().rollout().step();
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
