package darkroom.actors;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Work for a trainer. */
public sealed interface TrainUnit extends Unit {

    /**
     * The summed gradient of a fixed micro-batch. Timesteps and noise of a sample are keyed by (seed, step, group,
     * slot, timestep ordinal).
     *
     * @param pass which of the S optimizer steps of this training step, from 0
     * @param index unit within the pass, from 0: the leaf of the reduction tree
     * @param samples what is summed
     * @param validSamples samples of the whole pass: the sum is divided by it (normalisation is global)
     */
    record GradientUnit(
            String run,
            long seed,
            int step,
            int pass,
            int index,
            LearnerState state,
            List<Sample> samples,
            int validSamples)
            implements TrainUnit {
        public GradientUnit {
            samples = List.copyOf(samples);
        }

        @Override
        public List<TensorRef> inputs() {
            Set<TensorRef> all = new LinkedHashSet<>(List.of(state.trained(), state.old()));
            for (Sample sample : samples) {
                all.addAll(sample.lesson().prompt().pictures());
                all.add(sample.lesson().image().learned());
            }
            return List.copyOf(all);
        }

        @Override
        public String name() {
            return "gradient %s step %d pass %d unit %d".formatted(run, step, pass, index);
        }
    }

    /**
     * One lesson at one noise level.
     *
     * @param timestep index into the sigma schedule, 0 to solver steps - 1
     */
    record Sample(Lesson lesson, int timestep) {}

    /**
     * Adds the gradients of a pass along the fixed binary tree, clips, and takes one optimizer step.
     *
     * @param gradients in unit order
     * @param lastPass whether the old policy follows now
     */
    record UpdateUnit(String run, int step, int pass, LearnerState state, List<TensorRef> gradients, boolean lastPass)
            implements TrainUnit {
        public UpdateUnit {
            gradients = List.copyOf(gradients);
        }

        @Override
        public List<TensorRef> inputs() {
            List<TensorRef> all = new ArrayList<>(state.tensors());
            all.addAll(gradients);
            return all;
        }

        @Override
        public String name() {
            return "update %s step %d pass %d".formatted(run, step, pass);
        }
    }
}
