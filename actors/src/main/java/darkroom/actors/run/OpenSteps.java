package darkroom.actors.run;

import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.PromptSource;
import darkroom.actors.events.StepTimings;
import darkroom.actors.statistics.FilterDecision;
import darkroom.actors.statistics.GroupStatistics;
import darkroom.tensors.TensorRef;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Holds the prompts and the image groups of the steps between their opening and their commit.
 *
 * <p>An open step owns the tensors of its groups and its prompts: what is held is released once, when the group teaches
 * nothing or when the step is left (RS-5). Part of {@link RunSupervisor}, and used on its thread only.
 */
final class OpenSteps {
    private final PromptSource prompts;
    private final Consumer<TensorRef> release;
    private final Map<Integer, Step> steps = new LinkedHashMap<>();

    /** The data held for one step. */
    static final class Step {
        private final StepLine.OpenedStep opened;
        private final List<Prompt> prompts;
        private final Instant openedAt;
        private final List<GroupOutcome> held = new ArrayList<>();
        private Instant scoredAt;

        private Step(StepLine.OpenedStep opened, List<Prompt> prompts, Instant openedAt) {
            this.opened = opened;
            this.prompts = prompts;
            this.openedAt = openedAt;
            this.scoredAt = openedAt;
        }

        /** Returns the step as it was opened. */
        StepLine.OpenedStep opened() {
            return opened;
        }

        /**
         * Returns how long each part of the step took.
         *
         * @param began start of the training
         * @param lastCommit commit of the step before, or start of the run
         */
        StepTimings timings(List<GroupOutcome> endings, Instant began, Instant lastCommit, Instant now) {
            Instant generated = openedAt;
            for (GroupOutcome ending : endings) {
                if (ending instanceof GroupOutcome.Finished ended
                        && ended.generatedAt().isAfter(generated)) {
                    generated = ended.generatedAt();
                }
            }
            return new StepTimings(
                    Duration.between(openedAt, generated),
                    Duration.between(generated, scoredAt),
                    Duration.between(scoredAt, began),
                    Duration.between(began, now),
                    Duration.between(lastCommit, now));
        }
    }

    /**
     * Creates the steps of a run, of which none is open.
     *
     * @param prompts receives the prompts of a left step back
     * @param release called for every tensor of a group that is no longer needed
     */
    OpenSteps(PromptSource prompts, Consumer<TensorRef> release) {
        this.prompts = prompts;
        this.release = release;
    }

    /** Opens a step. */
    void open(StepLine.OpenedStep opened, List<Prompt> of, Instant now) {
        steps.put(opened.step(), new Step(opened, of, now));
    }

    /**
     * Returns an open step.
     *
     * @throws IllegalStateException if the step is not open
     */
    Step step(int number) {
        Step step = steps.get(number);
        if (step == null) {
            throw new IllegalStateException("step " + number + " was never opened");
        }
        return step;
    }

    /** Returns whether a step is open. */
    boolean isOpen(int number) {
        return steps.containsKey(number);
    }

    /** Holds an ended group of an open step. */
    void hold(GroupOutcome ending, Instant now) {
        Step step = step(ending.rollout().step());
        step.held.add(ending);
        step.scoredAt = now;
    }

    /** Releases a group, unless it is kept by the filter: images of training samples are held until the commit. */
    void releaseUnlessKept(GroupOutcome ending, GroupStatistics statistics) {
        if (ending instanceof GroupOutcome.Lost || !(statistics.decision() instanceof FilterDecision.Kept)) {
            ending.release(release);
            step(ending.rollout().step()).held.remove(ending);
        }
    }

    /** Leaves a step: releases its groups, and returns its prompts. */
    void leave(int number) {
        Step step = step(number);
        step.held.forEach(ending -> ending.release(release));
        prompts.release(step.prompts);
        steps.remove(number);
    }

    /**
     * Leaves all steps.
     *
     * @param failed receives a step whose prompts could not be returned, and why
     */
    void leaveAll(BiConsumer<Integer, RuntimeException> failed) {
        for (int number : List.copyOf(steps.keySet())) {
            try {
                leave(number);
            } catch (RuntimeException failure) {
                failed.accept(number, failure);
            }
        }
    }
}
