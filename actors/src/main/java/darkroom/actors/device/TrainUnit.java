package darkroom.actors.device;

import darkroom.tensors.TensorRef;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Work for a trainer. */
public sealed interface TrainUnit extends Unit {

    /**
     * Computes the gradients of neighbouring gradient units, added along {@link SumTree}: of 2^k units, or fewer at the end
     * of the pass, the first a multiple of 2^k, so that they are a subtree. Timesteps and noise of a sample are keyed by
     * (seed, step, group, slot, timestep ordinal).
     *
     * @param pass index of this optimizer step among the S of this training step, from 0
     * @param first position of the first gradient unit in the pass, from 0: a leaf of the tree
     * @param units at least one; each the fixed batch of samples whose gradient is computed in one piece
     * @param validSamples samples of the whole pass: gradients are divided by it (normalisation is global)
     */
    record GradientBlock(
            String run,
            long seed,
            int step,
            int pass,
            int first,
            LearnerState state,
            List<List<Sample>> units,
            int validSamples)
            implements TrainUnit {
        public GradientBlock {
            units = units.stream().map(List::copyOf).toList();
        }

        @Override
        public List<TensorRef> inputs() {
            Set<TensorRef> all = new LinkedHashSet<>(List.of(state.trained(), state.old()));
            for (List<Sample> unit : units) {
                for (Sample sample : unit) {
                    all.addAll(sample.trainingSample().prompt().pictures());
                    all.add(sample.trainingSample().image().learned());
                }
            }
            return List.copyOf(all);
        }

        @Override
        public String name() {
            String which =
                    units.size() == 1 ? "unit " + first : "units %d to %d".formatted(first, first + units.size() - 1);
            return "gradient %s step %d pass %d %s".formatted(run, step, pass, which);
        }
    }

    /**
     * One training sample at one noise level.
     *
     * @param timestep index into the sigma schedule, 0 to solver steps - 1
     */
    record Sample(TrainingSample trainingSample, int timestep) {}

    /**
     * Adds the gradients of a pass along {@link SumTree}, clips, and takes one optimizer step.
     *
     * @param gradients of the pass's blocks, in their order
     * @param lastPass whether the old policy is updated now
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
