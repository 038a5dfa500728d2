package org.hindmq.interop;

import java.util.ArrayList;
import java.util.List;

import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.Session;

/**
 * One consumer of one queue. Every message is in the history before it is acknowledged, in every mode: AUTO listens, for
 * a blocking receive acknowledges before the application has the message, and a failure there would lose it on the
 * client's side.
 */
final class Receiver implements Runnable {
   enum Mode { TX, CLIENT, AUTO }

   private static final int BATCH = 5;
   private static final int GIVE_BACK_EVERY = 40;

   private final Load load;
   private final String name;
   private final String queue;
   private final Mode mode;
   private final Link link;
   private MessageConsumer consumer;
   private int rounds;

   Receiver(Load load, String name, String queue, Mode mode) {
      this.load = load;
      this.name = name;
      this.queue = queue;
      this.mode = mode;
      int ack = mode == Mode.TX ? Session.SESSION_TRANSACTED : mode == Mode.CLIENT ? Session.CLIENT_ACKNOWLEDGE : Session.AUTO_ACKNOWLEDGE;
      this.link = new Link(load, name, ack);
   }

   @Override
   public void run() {
      while (!load.consumersStop) {
         Session s = link.session(() -> load.consumersStop);
         if (s == null) return;
         try {
            if (consumer == null) {
               consumer = s.createConsumer(s.createQueue(queue));
               load.log.write(new EventLog.Line("consumer").add("c", name).add("q", queue).add("mode", mode.name()));
               if (mode == Mode.AUTO) consumer.setMessageListener(this::listen);
            }
            if (mode == Mode.AUTO) Thread.sleep(50);
            else batch(s);
         } catch (JMSException e) {
            load.log.write(new EventLog.Line("consume.error").add("c", name).add("err", Load.text(e)));
            giveUp(s, e);
         } catch (InterruptedException e) {
            break;
         }
      }
      link.close();
   }

   private void listen(Message m) {
      try {
         load.deliver(name, queue, m);
      } catch (JMSException e) {
         load.log.write(new EventLog.Line("consume.error").add("c", name).add("err", Load.text(e)));
      }
   }

   private void batch(Session s) throws JMSException {
      List<String> ids = new ArrayList<>();
      Message last = null;
      for (Message m; ids.size() < BATCH && (m = consumer.receive(100)) != null; last = m) {
         load.deliver(name, queue, m);
         ids.add(m.getStringProperty("id"));
      }
      if (last == null) return;
      if (++rounds % GIVE_BACK_EVERY == 0) {
         load.log.write(new EventLog.Line("giveback").add("c", name).add("q", queue).add("ids", ids));
         if (mode == Mode.TX) s.rollback();
         else s.recover();
         return;
      }
      load.log.write(new EventLog.Line("ack.invoke").add("c", name).add("q", queue).add("ids", ids));
      try {
         if (mode == Mode.TX) s.commit();
         else last.acknowledge();
      } catch (JMSException e) {
         load.log.write(new EventLog.Line("ack.info").add("c", name).add("q", queue).add("ids", ids).add("err", Load.text(e)));
         throw e;
      }
      load.log.write(new EventLog.Line("ack.ok").add("c", name).add("q", queue).add("ids", ids));
   }

   private void giveUp(Session s, JMSException e) {
      if (link.failed(e)) {
         consumer = null;
         return;
      }
      try {
         if (mode == Mode.TX) s.rollback();
         else if (mode == Mode.CLIENT) s.recover();
      } catch (JMSException again) {
         load.log.write(new EventLog.Line("consume.error").add("c", name).add("err", Load.text(again)));
         if (link.failed(again)) consumer = null;
      }
   }
}
